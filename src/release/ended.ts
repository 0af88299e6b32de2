import type { ReleaseView } from '../protocol/index.js';

export function hasReleaseEnded({ status }: ReleaseView): boolean {
  return status !== 'queued' && status !== 'running' && status !== 'reverting';
}

/** What is read from how a release ended. Beside the schemas, so that a command that only words it does not load them. */
import type { ReleaseView } from './release.js';

/** It was found bad when the release before had gone, and that one could not be put back: it serves on. */
export function servesOn({ status, stages }: Pick<ReleaseView, 'status' | 'stages'>): boolean {
  return status === 'failed' && stages.some(({ stage }) => stage === 'bake');
}

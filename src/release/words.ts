import type { ReleaseRun } from './release-run.js';

/** What a hint begins with; nothing where nothing did. */
export function whatServesOn({ view }: ReleaseRun): string {
  return view.previous === null ? '' : 'what served before serves on; ';
}

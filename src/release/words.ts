import type { ReleaseRun } from './release-run.js';

/** What a hint begins with; nothing where nothing did. */
export function whatServesOn({ view }: ReleaseRun): string {
  if (view.previous === null) return '';
  return view.stage === 'bake' ? 'what served before is put back; ' : 'what served before serves on; ';
}

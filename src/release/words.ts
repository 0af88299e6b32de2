import type { ReleaseCheck } from '../protocol/index.js';
import type { ReleaseRun } from './release-run.js';

const MOST_FACTS = 3;

/** What a hint begins with; nothing where nothing did. */
export function whatServesOn({ view }: ReleaseRun): string {
  if (view.previous === null) return '';
  return view.stage === 'bake' ? 'what served before is put back; ' : 'what served before serves on; ';
}

export function wordFacts(checks: readonly ReleaseCheck[]): string {
  const words = checks.slice(0, MOST_FACTS).map(({ text }) => text);
  const more = checks.length > MOST_FACTS ? ` (and ${checks.length - MOST_FACTS} more)` : '';
  return `${words.join('; ')}${more}`;
}

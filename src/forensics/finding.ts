/** What a rule concludes; `verdict.ts` adds what every verdict has. */
import type { Confidence, Culprit, ExitCause, Verdict } from '../protocol/index.js';

export type Fact = Verdict['evidence'][number];

export interface Finding {
  readonly cause: ExitCause;
  readonly summary: string;
  readonly confidence: Confidence;
  readonly evidence: readonly Fact[];
  readonly by?: Culprit | null;
  readonly hint?: string | null;
}

/** `killed by root's bash (pid 4121: -bash)`. */
export function wordCulprit({ pid, name, place, command }: Culprit): string {
  if (place === 'itself') return 'the process itself';
  const who = command === null ? name : command;
  const where = { tree: 'a process of its own tree, ', upkeep: 'upkeep, ', outside: '', unknown: '' }[place];
  return `${where}pid ${pid} (${who}${place === 'unknown' ? ', which has ended' : ''})`;
}

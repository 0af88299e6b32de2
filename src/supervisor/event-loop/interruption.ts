/**
 * Whether an attempt ended by the signal that was to open its inspector. That signal is not sent to who waits in a call that it would
 * interrupt, but such a call may begin in between, and where the kernel does not show the place nobody knows.
 */
import { ENDED_BY_LOOK, summarizeEvidence } from '../../core/index.js';
import type { Evidence, ExitError } from '../../protocol/index.js';
import { signalName, type ProcessActivity } from '../../system/index.js';
import type { AttemptExit } from '../exit.js';

/** A process that was about to be inspected. */
export interface Look {
  readonly pid: number;
  /** Wall clock, milliseconds since the epoch: when it was sent SIGUSR1. */
  readonly at: number;
  /** What was seen of it before. */
  readonly seen: ProcessActivity;
}

export interface LookedAtEnd {
  readonly exit: AttemptExit;
  readonly at: number;
  readonly error: ExitError | null;
  readonly lastLines: readonly string[];
}

/** A busy machine takes its time to run who was interrupted. */
const MOMENT_MS = 5000;
/** Of the clocks of two processes. */
const ROUNDING_MS = 10;
const INTERRUPTED = /\bEINTR\b/;

/** What is known of it then; undefined: it ended by something else. */
export function endedByLook(look: Look | undefined, end: LookedAtEnd): Evidence | undefined {
  if (!look || end.at < look.at - ROUNDING_MS || end.at > look.at + MOMENT_MS || !saysSo(end))
    return undefined;
  const facts = { answers: false, frames: [], resources: null, ...look.seen, missing: ENDED_BY_LOOK };
  return { at: new Date(look.at).toISOString(), pid: look.pid, summary: summarizeEvidence(facts), ...facts };
}

function saysSo({ exit, error, lastLines }: LookedAtEnd): boolean {
  if (exit.kind === 'signalled') return signalName(exit.signal) === 'SIGUSR1';
  if (exit.kind !== 'exited' || exit.code === 0) return false;
  return INTERRUPTED.test(error?.message ?? '') || lastLines.some((line) => INTERRUPTED.test(line));
}

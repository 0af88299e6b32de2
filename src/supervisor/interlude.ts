/**
 * Between two attempts: what the next daemon has to know of an instance that waits for its next start. It lies in the run
 * folder of the attempt that ended, whose shim holds the sockets until then.
 */
import { readFileSync } from 'node:fs';
import type { WaitingState } from '../core/index.js';
import type { ExitView } from '../protocol/index.js';
import { runFiles, type Clock } from '../system/index.js';

/** Times are wall clock, milliseconds since the epoch: a monotonic clock ends with its daemon. */
export interface Interlude {
  readonly exit: ExitView;
  readonly restarts: number;
  readonly waiting: WaitingState;
  /** When it was written. */
  readonly at: number;
}

type Moment = Pick<Clock, 'now' | 'wall'>;

export function wordInterlude(
  waiting: WaitingState,
  { exit, restarts }: Pick<Interlude, 'exit' | 'restarts'>,
  clock: Moment,
): string {
  const at = clock.wall().getTime();
  return JSON.stringify({
    exit,
    restarts,
    waiting: shift(waiting, at - clock.now()),
    at,
  } satisfies Interlude);
}

/** undefined: its attempt is not over, or was not told to be. */
export function readInterlude(runDir: string): Interlude | undefined {
  try {
    return JSON.parse(readFileSync(runFiles(runDir).over, 'utf8')) as Interlude;
  } catch {
    return undefined; // or cut off, with its daemon: what the shim has noted is enough
  }
}

/** Where the wall clock was set back meanwhile, the wait is not longer for that. */
export function goOnWaiting({ waiting, at }: Interlude, clock: Moment): WaitingState {
  const now = clock.now();
  const shifted = shift(waiting, now - clock.wall().getTime());
  return { ...shifted, until: Math.min(shifted.until, now + waiting.until - at) };
}

function shift(waiting: WaitingState, byMs: number): WaitingState {
  const { history, until } = waiting;
  const failures = history.failures.map((failure) => failure + byMs);
  return { ...waiting, until: until + byMs, history: { ...history, failures } };
}

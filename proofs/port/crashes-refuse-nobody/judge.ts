/**
 * Whether a crash explains a failure. It does only for what the crashed process itself had in hand:
 *
 * - the failure is the end of its connection (`reset`, `reused_reset` or `truncated`), never a refusal, a wrong answer or
 *   silence;
 * - its connection stands in the access log of that very process, written when it accepted it and not later than the crash:
 *   one that waited in the backlog must survive;
 * - the request was on its way at the crash: begun before it, ended after it. On a connection that had been kept it may
 *   also have begun until the process was gone, and the worst delay of the load client itself after that: until its end is
 *   through, the kernel accepts what is sent to it, and a client cannot know.
 */
import type { Entry } from '../support/access-log.js';
import type { Failure } from '../load/index.js';

/** How long the end of a process takes, where nobody tells. */
const END_MS = 100;
const ENDS: readonly string[] = ['reset', 'reused_reset', 'truncated'];

export interface Crash {
  readonly pid: number;
  readonly at: number;
  /** When the process was gone, and so were its connections. */
  readonly goneAt: number;
  readonly how: string;
  /** When it accepted the connection from each port; the last time counts. */
  readonly accepted: ReadonlyMap<number, number>;
}

export interface Verdict {
  readonly failure: Failure;
  /** undefined: nothing explains it, and `why` says what is missing. */
  readonly crash?: Crash;
  readonly isLate?: boolean;
  readonly why?: string;
}

/** `exits`: when processes were seen to be gone. */
export function crashesOf(log: readonly Entry[], exits: readonly number[] = []): Crash[] {
  const accepted = new Map<number, Map<number, number>>();
  for (const { what, pid, port, at } of log) {
    if (what !== 'connection') continue;
    if (!accepted.has(pid)) accepted.set(pid, new Map());
    accepted.get(pid)!.set(port, at);
  }
  return log
    .filter(({ what }) => what === 'crash')
    .map(({ pid, at, id }) => {
      const goneAt = exits.find((exitAt) => exitAt >= at) ?? at + END_MS;
      return { pid, at, goneAt, how: id, accepted: accepted.get(pid) ?? new Map<number, number>() };
    });
}

export function judge(failure: Failure, crashes: readonly Crash[], lagMs: number): Verdict {
  if (!ENDS.includes(failure.class))
    return { failure, why: `"${failure.class}" is not how a crash ends a request` };
  const { startedAt, endedAt, isReused, localPort } = failure;
  const met = crashes.filter(
    ({ at, goneAt }) => startedAt <= (isReused ? goneAt + lagMs : at) && endedAt >= at,
  );
  if (met.length === 0) return { failure, why: 'there was no crash while it was on its way' };
  // It may have waited in the backlog through some of them.
  const crash = met.find(({ at, accepted }) => localPort !== null && accepted.get(localPort)! <= at);
  if (!crash)
    return { failure, why: `${met.map(({ pid }) => pid).join(' and ')} had not accepted its connection` };
  return { failure, crash, isLate: startedAt > crash.at };
}

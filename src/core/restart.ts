/**
 * Decides whether and when an instance that ended by itself is started again, and says why.
 *
 * The first restart is immediate, the following ones wait `delayMs`, doubled each time up to `maxDelayMs`, and up to a
 * fifth longer by chance, so that instances that fail together do not come back together. An attempt that lived
 * `stableMs` ends the row. Independently of that, `limit` failures within the last `windowMs` are a crash loop, at any age
 * of the service: it is shown as crashed, with the reason, and tried once per `retryMs` until an attempt is stable. It
 * is never given up silently.
 */
import type { RestartSpec } from '../protocol/index.js';

/** How an attempt ended, as far as the policy cares. */
export interface Ending {
  readonly kind: 'exited' | 'signalled' | 'spawn-failed' | 'not-ready' | 'unhealthy' | 'memory' | 'unknown';
  readonly code: number | null;
}

export interface RestartHistory {
  /** Failures in a row, each of an attempt that did not live `stableMs`. */
  readonly row: number;
  /** When the failures that count happened: those within the window, in a crash loop all of it. Oldest first. */
  readonly failures: readonly number[];
}

export const NO_FAILURES: RestartHistory = { row: 0, failures: [] };

export type RestartDecision =
  | {
      readonly kind: 'restart';
      readonly delayMs: number;
      readonly history: RestartHistory;
      readonly reason: string;
    }
  | {
      readonly kind: 'crash-loop';
      readonly delayMs: number;
      readonly history: RestartHistory;
      readonly reason: string;
    }
  | { readonly kind: 'complete'; readonly reason: string };

export interface EndedAttempt {
  readonly ending: Ending;
  /** When it was spawned and when it ended, monotonic milliseconds. */
  readonly since: number;
  readonly at: number;
  /** From [0, 1): where in the jitter range this restart falls. */
  readonly jitter: number;
}

const JITTER = 0.2;
/** Beyond every cap, and still finite: 0 * Infinity would be no delay at all. */
const MOST_DOUBLINGS = 50;

export function decideRestart(
  ended: EndedAttempt,
  history: RestartHistory,
  policy: RestartSpec,
): RestartDecision {
  const { ending, since, at } = ended;
  const done = isDone(ending, policy);
  if (done) return { kind: 'complete', reason: done };

  const wasStable = at - since >= policy.stableMs;
  const row = wasStable ? 1 : history.row + 1;
  // The slow tries of a crash loop must not carry it out of its own window.
  const isLooping = !wasStable && history.failures.length >= policy.limit;
  const earlier = history.failures.filter((failure) => isLooping || at - failure < policy.windowMs);
  const failures = [...earlier, at].slice(-policy.limit);
  const next: RestartHistory = { row, failures };

  if (failures.length >= policy.limit) {
    const seconds = Math.max(1, Math.round((at - failures[0]!) / 1000));
    const reason = `crash loop: ${failures.length} failures within ${seconds} s`;
    return { kind: 'crash-loop', delayMs: spread(policy.retryMs, ended.jitter), history: next, reason };
  }
  const delayMs = row === 1 ? 0 : spread(backoffMs(row, policy), ended.jitter);
  return { kind: 'restart', delayMs, history: next, reason: `failure ${row} in a row` };
}

function isDone(ending: Ending, policy: RestartSpec): string | undefined {
  if (policy.policy === 'never') return 'restart policy "never"';
  if (ending.kind !== 'exited' || ending.code === null) return undefined;
  if (policy.stopExitCodes.includes(ending.code)) return `exit code ${ending.code} is a stop exit code`;
  if (policy.policy === 'on-failure' && ending.code === 0)
    return 'exit code 0 under restart policy "on-failure"';
  return undefined;
}

function backoffMs(row: number, policy: RestartSpec): number {
  return Math.min(policy.maxDelayMs, policy.delayMs * 2 ** Math.min(row - 2, MOST_DOUBLINGS));
}

/** Also at the cap: instances that fail together must not come back together for ever. */
function spread(delayMs: number, jitter: number): number {
  return Math.round(delayMs * (1 + JITTER * jitter));
}

/** Both sides of a switchover as they are seen from outside. */
import { add } from '../../metrics/index.js';
import type { ProcessMetrics } from '../../protocol/index.js';
import type { Instance } from '../instance.js';
import type { Sample } from '../sampler.js';
import { hasDoneItsWork, wordEnd } from '../trial.js';
import type { SideCounts, SideView } from '../switchover.js';

export interface Seen {
  readonly service: string;
  readonly instance: Instance;
  readonly side: SideView['side'];
  /** When the switchover began. */
  readonly restartsBefore: number;
}

export async function viewSide(seen: Seen, sample: Sample | undefined): Promise<SideView> {
  const { service, instance, side, restartsBefore } = seen;
  const { index, attempt, role, status, exit } = instance;
  return {
    service,
    instance: index,
    attempt,
    side,
    takesTraffic: role !== 'new' && status === 'running',
    pid: instance.process?.pid ?? null,
    rssBytes: sample?.rssBytes ?? null,
    ended: instance.isAtRest && exit && !hasDoneItsWork(instance, instance.spec) ? wordEnd(exit) : null,
    restarts: Math.max(0, instance.restarts - restartsBefore),
    counts: sum(await instance.counts()),
  };
}

function sum(processes: readonly ProcessMetrics[]): SideCounts | null {
  if (processes.length === 0) return null;
  const total = (pick: (one: ProcessMetrics) => number): number =>
    processes.reduce((all, one) => all + pick(one), 0);
  return {
    requests: total(({ requests }) => requests),
    errors: total(({ errors }) => errors),
    unanswered: total(({ unanswered = 0 }) => unanswered),
    durationMs: total(({ durationMs }) => durationMs),
    latency: processes.reduce<number[]>((all, { latency }) => add(all, latency), []),
  };
}

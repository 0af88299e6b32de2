/** From what the processes of a service have counted to what happened since the last time. Pure. */
import type { ProcessMetrics } from '../protocol/index.js';
import { add, highest, since } from './histogram.js';
import { NO_PROBES, type ProbeTimes } from './sample.js';
import type { Measurement } from './samples.js';

export interface Counts {
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly processes: readonly {
    readonly now: ProcessMetrics;
    readonly before: ProcessMetrics;
  }[];
}

const NOTHING_COUNTED = { heapBytes: 0, loopMaxMs: NaN, requests: 0, errors: 0, durationMs: 0, latency: [] };

/** `probes`: of its health, since the last time. */
export function measurementOf(
  { cpuPercent, rssBytes, processes }: Counts,
  probes: ProbeTimes = NO_PROBES,
): Measurement {
  if (processes.length === 0) return { cpuPercent, rssBytes, ...NOTHING_COUNTED, probes };
  const sum = (pick: (one: Counts['processes'][number]) => number): number =>
    processes.reduce((all, one) => all + pick(one), 0);
  const total = (key: 'latency' | 'loop'): number[] =>
    processes.reduce((all, { now, before }) => add(all, since(now[key], before[key])), [] as number[]);
  const requests = sum(({ now, before }) => Math.max(0, now.requests - before.requests));
  return {
    cpuPercent,
    rssBytes,
    heapBytes: sum(({ now }) => now.heapBytes),
    loopMaxMs: highest(total('loop')) ?? NaN,
    requests,
    errors: sum(({ now, before }) => Math.max(0, now.errors - before.errors)),
    durationMs: sum(({ now, before }) => Math.max(0, now.durationMs - before.durationMs)),
    latency: requests === 0 ? [] : total('latency'),
    probes,
  };
}

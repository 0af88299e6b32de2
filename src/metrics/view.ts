import type { ProbesView, SampleView } from '../protocol/index.js';
import { quantile } from './histogram.js';
import type { ProbeTimes, Sample } from './sample.js';

export function viewSample(sample: Sample): SampleView {
  const { at, seconds, cpuPercent, rssBytes, heapBytes, loopMaxMs, requests, errors, latency, probes } =
    sample;
  return {
    at: new Date(at * 1000).toISOString(),
    ...{ seconds, cpuPercent: Math.round(cpuPercent * 10) / 10, rssBytes, requests, errors },
    heapBytes: heapBytes === 0 ? null : heapBytes,
    loopMaxMs: Number.isNaN(loopMaxMs) ? null : loopMaxMs,
    p50Ms: quantile(latency, 0.5),
    p95Ms: quantile(latency, 0.95),
    p99Ms: quantile(latency, 0.99),
    probes: viewProbes(probes),
  };
}

export function viewProbes({ count, meanMs, maxMs }: ProbeTimes): ProbesView | null {
  return count === 0 ? null : { count, meanMs: round(meanMs), maxMs: round(maxMs) };
}

/** To what a probe can tell. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

import type { SampleView } from '../protocol/index.js';
import { quantile } from './histogram.js';
import type { Sample } from './sample.js';

export function viewSample(sample: Sample): SampleView {
  const { at, seconds, cpuPercent, rssBytes, heapBytes, loopMaxMs, requests, errors, latency } = sample;
  return {
    at: new Date(at * 1000).toISOString(),
    ...{ seconds, cpuPercent: Math.round(cpuPercent * 10) / 10, rssBytes, requests, errors },
    heapBytes: heapBytes === 0 ? null : heapBytes,
    loopMaxMs: Number.isNaN(loopMaxMs) ? null : loopMaxMs,
    p50Ms: quantile(latency, 0.5),
    p95Ms: quantile(latency, 0.95),
    p99Ms: quantile(latency, 0.99),
  };
}

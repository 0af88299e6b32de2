/** What was measured of services lately: what `upkeep top` shows. */
import * as v from 'valibot';

const number = v.number();

/** How long health probes took; one that gets no answer takes its timeout. */
export const ProbesView = v.strictObject({ count: number, meanMs: number, maxMs: number });
export type ProbesView = v.InferOutput<typeof ProbesView>;

export const SampleView = v.strictObject({
  at: v.pipe(v.string(), v.isoTimestamp()),
  /** How long a time it is about. */
  seconds: number,
  /** Of one core; whole trees. */
  cpuPercent: number,
  rssBytes: number,
  /** null: no preload tells. */
  heapBytes: v.nullable(number),
  /** The latest that an event loop was; null: no preload tells. */
  loopMaxMs: v.nullable(number),
  /** Of http servers of Node.js, answered. */
  requests: number,
  /** With 5xx. */
  errors: number,
  /** null: there were no requests. */
  p50Ms: v.nullable(number),
  p95Ms: v.nullable(number),
  p99Ms: v.nullable(number),
  /** null: there were none. */
  probes: v.nullable(ProbesView),
});
export type SampleView = v.InferOutput<typeof SampleView>;

export const SamplesView = v.strictObject({ service: v.string(), samples: v.array(SampleView) });
export type SamplesView = v.InferOutput<typeof SamplesView>;

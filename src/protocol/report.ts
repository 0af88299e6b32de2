/** How services have been, from their history: what `upkeep report` shows. */
import * as v from 'valibot';
import { ProbesView } from './sample.js';

const timestamp = v.pipe(v.string(), v.isoTimestamp());

/**
 * `up`: all instances that should serve do. `degraded`: some of them. `down`: none. `off`: none should.
 * `unobserved`: no daemon lived, and nothing tells how it was.
 */
export const LEVELS = ['up', 'degraded', 'down', 'off', 'unobserved'] as const;
export type Level = (typeof LEVELS)[number];

/**
 * `crash`: it ended by itself, or somebody ended it who is not upkeep. `unhealthy`: a probe failed. `memory`: its limit.
 * `not-ready`: it did not become ready in time. `operator`: somebody asked upkeep for it. `upkeep`: upkeep did it by itself, for
 * a file that changed or a schedule. `unknown`: nothing tells.
 */
export const CAUSES = ['crash', 'unhealthy', 'memory', 'not-ready', 'operator', 'upkeep', 'unknown'] as const;
export type CauseKind = (typeof CAUSES)[number];

export const IncidentView = v.strictObject({
  service: v.string(),
  startedAt: timestamp,
  /** null: it was on purpose, or nothing tells. */
  detectedAt: v.nullable(timestamp),
  /** null: it goes on. */
  endedAt: v.nullable(timestamp),
  worst: v.picklist(['degraded', 'down']),
  /** How long no instance served. */
  downMs: v.number(),
  /** How often it began again before the service was well for a while. */
  times: v.number(),
  cause: v.picklist(CAUSES),
  /** One sentence for a person. */
  words: v.string(),
  instance: v.nullable(v.number()),
  attempt: v.nullable(v.number()),
  /** Somebody asked for it. */
  isPlanned: v.boolean(),
});
export type IncidentView = v.InferOutput<typeof IncidentView>;

/** Milliseconds; null where there is nothing to measure. */
const Spread = v.strictObject({ median: v.nullable(v.number()), p95: v.nullable(v.number()) });
export type Spread = v.InferOutput<typeof Spread>;

/** Counted by half octaves: the true one lies between the bounds. */
export const QuantileView = v.strictObject({
  /** Interpolated. */
  ms: v.number(),
  fromMs: v.number(),
  /** null: there is no upper bound. */
  toMs: v.nullable(v.number()),
});
export type QuantileView = v.InferOutput<typeof QuantileView>;

/** What http servers of Node.js have answered, as their preload counted. */
const traffic = {
  requests: v.number(),
  /** With 5xx. */
  errors: v.number(),
  /** Of the requests, from 0 to 1. */
  errorShare: v.number(),
  p50: v.nullable(QuantileView),
  p95: v.nullable(QuantileView),
  p99: v.nullable(QuantileView),
  /** Of those that are named: a minute, or an hour. */
  slotSeconds: v.number(),
  /** The times with the highest p95, that one first. */
  slowest: v.array(
    v.strictObject({
      /** When it began. */
      at: timestamp,
      requests: v.number(),
      errors: v.number(),
      p95: QuantileView,
    }),
  ),
};
const Traffic = v.strictObject(traffic);
export type Traffic = v.InferOutput<typeof Traffic>;

export const TrafficView = v.strictObject({
  ...traffic,
  /** Of each method and path the slowest one, that one first; as far as they are known. */
  slowestRequests: v.array(
    v.strictObject({
      at: timestamp,
      method: v.string(),
      /** Without its query; what looks secret in it is masked. */
      path: v.string(),
      status: v.number(),
      ms: v.number(),
    }),
  ),
});
export type TrafficView = v.InferOutput<typeof TrafficView>;

/** What the history of events tells. */
const history = {
  service: v.string(),
  /** From when on something is known, within what was asked for; null: nothing is. */
  since: v.nullable(timestamp),
  /** Of the time in which it should serve and was observed, from 0 to 1; null: there was none. */
  availability: v.nullable(v.number()),
  upMs: v.number(),
  degradedMs: v.number(),
  downMs: v.number(),
  offMs: v.number(),
  unobservedMs: v.number(),
  /** Oldest first. */
  incidents: v.array(IncidentView),
  /** Of incidents that nobody asked for, as the two that follow. */
  unplanned: v.number(),
  detectMs: Spread,
  repairMs: Spread,
  restarts: v.number(),
  /** What people asked for beside new descriptions. */
  interventions: v.number(),
};
const ServiceHistory = v.strictObject(history);
export type ServiceHistory = v.InferOutput<typeof ServiceHistory>;

export const ServiceReport = v.strictObject({
  ...history,
  /** null: no request was counted. */
  traffic: v.nullable(TrafficView),
  /** null: no probe asked. */
  probes: v.nullable(ProbesView),
});
export type ServiceReport = v.InferOutput<typeof ServiceReport>;

export const ReportView = v.strictObject({
  since: timestamp,
  until: timestamp,
  services: v.array(ServiceReport),
});
export type ReportView = v.InferOutput<typeof ReportView>;

import * as v from 'valibot';

export const DaemonView = v.strictObject({
  pid: v.number(),
  /** Brings the daemon back when it dies; null: something else does, or nobody. */
  guardian: v.nullable(v.number()),
  version: v.string(),
  protocol: v.number(),
  home: v.string(),
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
  node: v.string(),
  services: v.number(),
  instances: v.number(),
});
export type DaemonView = v.InferOutput<typeof DaemonView>;

/** Another version takes over from the daemon; `root`: the folder of an installed upkeep. */
export const UpgradeRequest = v.strictObject({
  root: v.string(),
  /** The Node that runs it. */
  node: v.string(),
  /** For each of its two steps: to load and to look at what is there, and to take over. */
  timeoutMs: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
export type UpgradeRequest = v.InferOutput<typeof UpgradeRequest>;

const end = v.strictObject({ pid: v.number(), version: v.string() });

export const UpgradeView = v.strictObject({ from: end, to: end });
export type UpgradeView = v.InferOutput<typeof UpgradeView>;

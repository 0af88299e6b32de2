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

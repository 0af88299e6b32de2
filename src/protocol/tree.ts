/** Who lives below an instance: the shapes behind `upkeep tree`. */
import * as v from 'valibot';
import { INSTANCE_STATUSES } from './service.js';

export const TreeProcess = v.strictObject({
  pid: v.number(),
  /** One that is not in the list: the shim. */
  parent: v.number(),
  /** 0: directly below the shim. */
  depth: v.number(),
  /**
   * `main` the program itself; `wrapper` (npm, npx, yarn, sh -c, env, timeout) stands in front of it; `master` leads `worker` and
   * `agent`; `child` whatever else they started.
   */
  role: v.picklist(['wrapper', 'main', 'master', 'agent', 'worker', 'child']),
  /** What looks secret in it is masked. */
  command: v.string(),
  /** Of its whole life. */
  cpuPercent: v.number(),
  rssBytes: v.number(),
  ageMs: v.number(),
  /** Where it accepts connections: `127.0.0.1:3000`. */
  listens: v.array(v.string()),
});
export type TreeProcess = v.InferOutput<typeof TreeProcess>;

export const InstanceTree = v.strictObject({
  service: v.string(),
  instance: v.number(),
  attempt: v.number(),
  status: v.picklist(INSTANCE_STATUSES),
  /** Parents before their children. */
  processes: v.array(TreeProcess),
});
export type InstanceTree = v.InferOutput<typeof InstanceTree>;

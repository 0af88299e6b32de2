/** What is seen of a service: the shapes behind `upkeep list` and `upkeep show`. */
import * as v from 'valibot';
import { Evidence } from './evidence.js';
import { ServiceSpec } from './spec.js';

const timestamp = v.pipe(v.string(), v.isoTimestamp());

/** What a process ended with: `TypeError: Cannot read property 'models' of undefined (db.js:10)`. */
export const ExitError = v.strictObject({
  /** null where only a message is known, as of `throw 'text'`. */
  type: v.nullable(v.string()),
  /** One line. */
  message: v.string(),
  /** Where in the application, as far as that is known. */
  at: v.nullable(v.string()),
});
export type ExitError = v.InferOutput<typeof ExitError>;

/** Why and how an attempt ended. "unknown" is allowed, wrong is not. */
export const ExitView = v.strictObject({
  attempt: v.number(),
  /**
   * `exited`: by itself, with `code`. `signalled`: ended by `signal`. `spawn-failed`: never ran.
   * `unknown`: the evidence is gone (the shim was killed too).
   */
  kind: v.picklist(['exited', 'signalled', 'spawn-failed', 'unknown']),
  code: v.nullable(v.number()),
  signal: v.nullable(v.string()),
  /** Who ended it: upkeep itself (and why), or nobody that upkeep knows of. */
  askedBy: v.nullable(v.string()),
  /** One sentence for a person. */
  reason: v.string(),
  /** null: it did not crash, or nothing tells by what. */
  error: v.exactOptional(v.nullable(ExitError)),
  at: timestamp,
  /** How long the attempt lived, milliseconds. */
  livedMs: v.number(),
  /** How many of its descendants were still alive then. */
  leftBehind: v.number(),
  lastLines: v.array(v.string()),
  /** What it was doing when it was found failing. */
  evidence: v.exactOptional(Evidence),
  /** The kernel has written a core dump, or given it to whoever collects them (core_pattern). */
  hasCore: v.exactOptional(v.literal(true)),
});
export type ExitView = v.InferOutput<typeof ExitView>;

/**
 * `starting` a process lives, its ready rule is not met yet. `running` it is met.
 * `waiting` ended by itself, the next start comes after a delay. `crashed` a crash loop: one slow try a minute.
 * `completed` ended by itself and need not run again. `scheduled` waits for its next cron run.
 */
export const INSTANCE_STATUSES = [
  'stopped',
  'starting',
  'running',
  'stopping',
  'waiting',
  'crashed',
  'completed',
  'scheduled',
] as const;
export type InstanceStatus = (typeof INSTANCE_STATUSES)[number];

/** A service has the status that its instances share; `degraded`: some run, others do not. */
export const SERVICE_STATUSES = [...INSTANCE_STATUSES, 'degraded'] as const;
export type ServiceStatus = (typeof SERVICE_STATUSES)[number];

/**
 * During a reload or release: `new` has no traffic yet, `joined` takes some beside the one that serves and may be sent away again,
 * `old` finishes what it has.
 */
export const INSTANCE_ROLES = ['serving', 'new', 'joined', 'old'] as const;
export type InstanceRole = (typeof INSTANCE_ROLES)[number];

export const InstanceView = v.strictObject({
  index: v.number(),
  role: v.picklist(INSTANCE_ROLES),
  pid: v.nullable(v.number()),
  status: v.picklist(INSTANCE_STATUSES),
  /** null where no health check is configured or none has answered yet. */
  healthy: v.nullable(v.boolean()),
  /** Which spawn this is, counted from 1 over the life of the service. */
  attempt: v.number(),
  startedAt: v.nullable(timestamp),
  uptimeMs: v.nullable(v.number()),
  /** Resident memory and processor share of the whole process tree; null where nothing runs. */
  rssBytes: v.nullable(v.number()),
  cpuPercent: v.nullable(v.number()),
  /** When the next start or run is due. */
  nextStartAt: v.optional(timestamp),
  exit: v.optional(ExitView),
  /** Why that was so, in a sentence. */
  why: v.exactOptional(v.string()),
});
export type InstanceView = v.InferOutput<typeof InstanceView>;

export const ServiceView = v.strictObject({
  name: v.string(),
  status: v.picklist(SERVICE_STATUSES),
  /** Automatic and requested restarts of all instances. */
  restarts: v.number(),
  ports: v.array(v.number()),
  instances: v.array(InstanceView),
  /** Kinds of errors that were first seen since the last deployment or mark; absent: none. */
  newErrors: v.optional(v.number()),
  /** The last change that failed, until one succeeds; what ran before goes on. */
  failure: v.optional(v.strictObject({ operation: v.string(), at: timestamp, message: v.string() })),
});
export type ServiceView = v.InferOutput<typeof ServiceView>;

/** A specification as it may be shown: values of variables are redacted. */
export const ServiceDetail = v.strictObject({
  ...ServiceView.entries,
  spec: ServiceSpec,
  logs: v.strictObject({
    out: v.string(),
    err: v.string(),
    /** What could not be written, as far as this daemon was told. */
    lostBytes: v.number(),
    lostLines: v.number(),
  }),
  operations: v.array(v.string()),
});
export type ServiceDetail = v.InferOutput<typeof ServiceDetail>;

export const EnvironmentEntry = v.strictObject({
  key: v.string(),
  /** Masked where the name or the value looks secret, unless it was asked for openly. */
  value: v.string(),
  source: v.string(),
  redacted: v.boolean(),
});
export type EnvironmentEntry = v.InferOutput<typeof EnvironmentEntry>;

export const EnvironmentView = v.strictObject({
  service: v.string(),
  cwd: v.string(),
  entries: v.array(EnvironmentEntry),
});
export type EnvironmentView = v.InferOutput<typeof EnvironmentView>;

export const SpecChange = v.strictObject({
  service: v.string(),
  /** `recreate`: running instances are replaced. `update`: takes effect without touching them. */
  action: v.picklist(['create', 'update', 'recreate', 'start', 'keep', 'orphan']),
  /** Dotted keys that differ; values only where they cannot be secret. */
  changes: v.array(
    v.strictObject({ key: v.string(), from: v.nullable(v.string()), to: v.nullable(v.string()) }),
  ),
});
export type SpecChange = v.InferOutput<typeof SpecChange>;

/** Every change is an operation: accepted, written down, then done by the daemon, whoever asked for it. */
import * as v from 'valibot';
import { ServiceName, ServiceSpec, SIGNALS } from './spec.js';

const timestamp = v.pipe(v.string(), v.isoTimestamp());

/** Names, or every service there is. */
const selection = v.union([v.literal('all'), v.pipe(v.array(v.string()), v.minLength(1))]);

export const OperationRequest = v.variant('kind', [
  /** Make these services exist as described, and run. */
  v.strictObject({
    kind: v.literal('up'),
    services: v.pipe(v.array(ServiceSpec), v.minLength(1)),
    /** Delete what came from the same file and is no longer in it. */
    prune: v.optional(v.boolean()),
    /** Refuse names that exist already instead of updating them (`upkeep start <script>`). */
    create: v.optional(v.boolean()),
  }),
  v.strictObject({ kind: v.literal('start'), services: selection }),
  v.strictObject({ kind: v.literal('stop'), services: selection }),
  v.strictObject({ kind: v.literal('restart'), services: selection }),
  /** Replace instance by instance: the new one is verified before the old one goes. */
  v.strictObject({ kind: v.literal('reload'), services: selection }),
  /** Stop, forget. */
  v.strictObject({ kind: v.literal('delete'), services: selection }),
  v.strictObject({
    kind: v.literal('scale'),
    service: ServiceName,
    instances: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)),
  }),
  v.strictObject({ kind: v.literal('signal'), service: ServiceName, signal: v.picklist(SIGNALS) }),
]);
export type OperationRequest = v.InferOutput<typeof OperationRequest>;
export type OperationKind = OperationView['kind'];
export type ServiceSelection = v.InferOutput<typeof selection>;

/** Who asked, as found in /proc when the request came in. */
export const Requester = v.strictObject({
  uid: v.nullable(v.number()),
  pid: v.nullable(v.number()),
  command: v.nullable(v.string()),
  /** The managed service that the requester is part of. */
  service: v.nullable(v.string()),
  instance: v.nullable(v.number()),
  attempt: v.nullable(v.number()),
});
export type Requester = v.InferOutput<typeof Requester>;

export const Failure = v.strictObject({
  code: v.string(),
  message: v.string(),
  hint: v.optional(v.string()),
  /** The last lines that the service wrote. */
  lines: v.optional(v.array(v.string())),
});
export type Failure = v.InferOutput<typeof Failure>;

export const OperationStep = v.strictObject({
  service: v.string(),
  action: v.picklist([
    'create',
    'update',
    'start',
    'stop',
    'restart',
    'reload',
    'delete',
    'scale',
    'signal',
    'keep',
    'release',
  ]),
  status: v.picklist(['pending', 'running', 'done', 'failed', 'skipped']),
  startedAt: v.nullable(timestamp),
  finishedAt: v.nullable(timestamp),
  /** What is being done at this moment, for a person. */
  progress: v.optional(v.string()),
  /** What the user should know although it went well. */
  notes: v.optional(v.array(v.string())),
  failure: v.optional(Failure),
});
export type OperationStep = v.InferOutput<typeof OperationStep>;

export const OperationView = v.strictObject({
  id: v.string(),
  kind: v.picklist(['up', 'start', 'stop', 'restart', 'reload', 'delete', 'scale', 'signal', 'release']),
  /** Which release holds the services. */
  release: v.exactOptional(v.string()),
  status: v.picklist(['queued', 'running', 'succeeded', 'failed']),
  requester: Requester,
  /** Later identical requests that joined this one before it began. */
  joined: v.array(Requester),
  /** Who asked to give it up; what it has done by then stays. */
  abortedBy: v.optional(Requester),
  acceptedAt: timestamp,
  startedAt: v.nullable(timestamp),
  finishedAt: v.nullable(timestamp),
  steps: v.array(OperationStep),
});
export type OperationView = v.InferOutput<typeof OperationView>;

/** The one union of everything that happens. Subscribers (store, logs, API, later metrics and fleet) word it. */
import * as v from 'valibot';
import { HEALTH_ACTIONS } from './check.js';
import { ExitView, INSTANCE_STATUSES } from './service.js';
import { OperationView } from './operation.js';
import { ReleaseView } from './release.js';
import { Verdict } from './why.js';

const header = { seq: v.number(), at: v.pipe(v.string(), v.isoTimestamp()) };
const operation = {
  operation: v.string(),
  kind: OperationView.entries.kind,
  status: OperationView.entries.status,
  services: v.array(v.string()),
};
const instance = { service: v.string(), instance: v.number(), attempt: v.number() };

export const UpkeepEvent = v.variant('type', [
  v.strictObject({ ...header, type: v.literal('daemon-started'), pid: v.number(), version: v.string() }),
  v.strictObject({ ...header, type: v.literal('daemon-stopping'), pid: v.number(), reason: v.string() }),
  v.strictObject({ ...header, type: v.literal('state-recovered'), detail: v.string() }),
  v.strictObject({ ...header, type: v.literal('service-created'), service: v.string() }),
  v.strictObject({
    ...header,
    type: v.literal('service-updated'),
    service: v.string(),
    keys: v.array(v.string()),
  }),
  v.strictObject({ ...header, type: v.literal('service-deleted'), service: v.string() }),
  v.strictObject({
    ...header,
    type: v.literal('instance-status'),
    ...instance,
    pid: v.nullable(v.number()),
    from: v.picklist(INSTANCE_STATUSES),
    to: v.picklist(INSTANCE_STATUSES),
  }),
  v.strictObject({
    ...header,
    type: v.literal('instance-adopted'),
    ...instance,
    pid: v.number(),
    status: v.optional(v.picklist(INSTANCE_STATUSES)),
  }),
  v.strictObject({ ...header, type: v.literal('instance-exited'), ...instance, exit: ExitView }),
  /** Follows the one above, when the evidence was looked at. */
  v.strictObject({
    ...header,
    type: v.literal('exit-explained'),
    ...instance,
    cause: Verdict.entries.cause,
    summary: v.string(),
    confidence: Verdict.entries.confidence,
  }),
  /** The process that served was killed, and the wrapper in front of it lives on. */
  v.strictObject({
    ...header,
    type: v.literal('server-killed'),
    ...instance,
    /** Of the one that served. */
    pid: v.number(),
    cause: Verdict.entries.cause,
    summary: v.string(),
    hint: Verdict.entries.hint,
  }),
  v.strictObject({
    ...header,
    type: v.literal('instance-restarting'),
    ...instance,
    delayMs: v.number(),
    reason: v.string(),
  }),
  v.strictObject({
    ...header,
    type: v.literal('instance-health'),
    ...instance,
    healthy: v.boolean(),
    detail: v.string(),
    /** What has found it; absent: the configured probe. */
    probe: v.optional(v.picklist(['event-loop', 'server'])),
    /** Since when, as near as probes can tell. */
    since: v.optional(v.pipe(v.string(), v.isoTimestamp())),
    /** What is done about it. */
    action: v.optional(v.picklist(HEALTH_ACTIONS)),
    /** What made it so, where that was seen. */
    because: v.optional(v.string()),
  }),
  v.strictObject({ ...header, type: v.literal('operation'), ...operation }),
  /** A release of a group has begun, has come to another stage, or has ended. */
  v.strictObject({
    ...header,
    type: v.literal('release'),
    release: v.string(),
    group: v.string(),
    kind: ReleaseView.entries.kind,
    status: ReleaseView.entries.status,
    stage: ReleaseView.entries.stage,
    /** Why it failed. */
    reason: v.nullable(v.string()),
    services: v.array(v.string()),
  }),
  /** A service has an error that it never had before. */
  v.strictObject({
    ...header,
    type: v.literal('error-kind-new'),
    service: v.string(),
    id: v.string(),
    title: v.string(),
    count: v.number(),
  }),
  /** The memory of a service grows without an end, or does so no more. */
  v.strictObject({
    ...header,
    type: v.literal('memory-growth'),
    service: v.string(),
    isGrowing: v.boolean(),
    /** Of all its instances. */
    rssBytes: v.number(),
    /** 0: it has ended, or began anew. */
    bytesPerHour: v.number(),
    /** What comes to an end: the memory limit of its instances, or what the machine has left. */
    bound: v.picklist(['limit', 'machine']),
    /** At this pace; null: it does not grow. */
    reachedAt: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
  }),
  /** A certificate expires soon, or there is another one in its place. */
  v.strictObject({
    ...header,
    type: v.literal('certificate'),
    service: v.string(),
    host: v.string(),
    port: v.number(),
    isExpiring: v.boolean(),
    /** null: nobody looks at it any more; the service was stopped, or is asked elsewhere. */
    shown: v.nullable(
      v.strictObject({ subject: v.string(), expiresAt: v.pipe(v.string(), v.isoTimestamp()) }),
    ),
  }),
  /** The disk of the home is about to be full, or has room again. */
  v.strictObject({
    ...header,
    type: v.literal('disk'),
    path: v.string(),
    isShort: v.boolean(),
    totalBytes: v.number(),
    freeBytes: v.number(),
    totalInodes: v.number(),
    freeInodes: v.number(),
  }),
  v.strictObject({
    ...header,
    type: v.literal('warning'),
    service: v.nullable(v.string()),
    message: v.string(),
  }),
]);
export type UpkeepEvent = v.InferOutput<typeof UpkeepEvent>;

/** What a domain module emits; sequence number and wall clock are added at one place. */
export type NewEvent = UpkeepEvent extends infer E
  ? E extends UpkeepEvent
    ? Omit<E, 'seq' | 'at'>
    : never
  : never;

/** What an event tells of an operation; the whole is asked for by its number. */
export type OperationSummary = Pick<
  Extract<UpkeepEvent, { type: 'operation' }>,
  'operation' | 'kind' | 'status' | 'services'
>;

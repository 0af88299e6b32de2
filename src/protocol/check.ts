/** What a service may be asked to show that it does its work: for its ready rule, for `reload.verify` and for its health. */
import * as v from 'valibot';

const milliseconds = v.pipe(v.number(), v.minValue(0));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

/** `text`: stands somewhere in it. `pattern`: a regular expression matches. */
export const TextMatch = v.union([
  v.strictObject({ text: v.string() }),
  v.strictObject({ pattern: v.string() }),
]);
export type TextMatch = v.InferOutput<typeof TextMatch>;

/** What an answer must be beside its status, and how it is asked for. */
export const HttpAnswerSpec = v.strictObject({
  method: v.picklist(['GET', 'HEAD']),
  /** From and to, both included; null: what `status` says. */
  statuses: v.nullable(v.array(v.strictObject({ from: count, to: count }))),
  body: v.nullable(TextMatch),
  /** By the lower-case name. */
  headers: v.record(v.string(), TextMatch),
  /** From the request to the end of what is looked at. */
  latencyMs: v.nullable(milliseconds),
});
export type HttpAnswerSpec = v.InferOutput<typeof HttpAnswerSpec>;

export const CheckSpec = v.variant('on', [
  /** A process of the instance's own tree listens on every declared port. */
  v.strictObject({
    on: v.literal('port'),
    /** Instead: a connection to this one is taken. */
    connect: v.exactOptional(v.strictObject({ host: v.string(), port })),
  }),
  /** The URL answers with `status` (`null`: any status below 400). */
  v.strictObject({
    on: v.literal('http'),
    url: v.string(),
    status: v.nullable(count),
    answer: v.exactOptional(HttpAnswerSpec),
  }),
  /** The command, run with the environment and folder of the service, exits with 0. */
  v.strictObject({ on: v.literal('command'), argv: v.pipe(v.array(v.string()), v.minLength(1)) }),
]);
export type CheckSpec = v.InferOutput<typeof CheckSpec>;

/** What is done with an instance that is unhealthy. */
export const HEALTH_ACTIONS = ['restart', 'none'] as const;
export type HealthAction = (typeof HEALTH_ACTIONS)[number];

/** What an older upkeep did, and did not write down. */
export const DEFAULT_HEALTH = {
  successes: 1,
  startPeriodMs: 0,
  action: 'restart',
  certificateMs: 14 * 86_400_000,
} as const;

export const HealthSpec = v.strictObject({
  check: CheckSpec,
  intervalMs: v.pipe(v.number(), v.minValue(100)),
  timeoutMs: v.pipe(v.number(), v.minValue(1)),
  /** Failures in a row after which an instance is unhealthy. */
  failures: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** Successes in a row after which an unhealthy one is healthy again. */
  successes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), DEFAULT_HEALTH.successes),
  /** So long after its start failures do not count, unless it has succeeded before. */
  startPeriodMs: v.optional(milliseconds, DEFAULT_HEALTH.startPeriodMs),
  action: v.optional(v.picklist(HEALTH_ACTIONS), DEFAULT_HEALTH.action),
  /** So long before a certificate expires that is shown to an https check of the service, it is told; null: nobody looks. */
  certificateMs: v.optional(v.nullable(milliseconds), DEFAULT_HEALTH.certificateMs),
});
export type HealthSpec = v.InferOutput<typeof HealthSpec>;

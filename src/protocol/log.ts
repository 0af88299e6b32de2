import * as v from 'valibot';

/** From the least to the worst. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line of output, or several that belong together: a stack trace. */
export const LogEntry = v.strictObject({
  service: v.string(),
  /** null: the index of the log does not say, so for the next two. */
  instance: v.nullable(v.number()),
  attempt: v.nullable(v.number()),
  stream: v.picklist(['out', 'err']),
  /** When its first line was written, to 50 ms or better. */
  at: v.nullable(v.string()),
  lines: v.array(v.string()),
  /** null: the lines do not say. */
  level: v.nullable(v.picklist(LOG_LEVELS)),
  /** Of a line of JSON. */
  message: v.nullable(v.string()),
  /** All that a line of JSON says. */
  fields: v.nullable(v.record(v.string(), v.unknown())),
});
export type LogEntry = v.InferOutput<typeof LogEntry>;

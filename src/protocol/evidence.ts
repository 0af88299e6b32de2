/** What an instance was doing when it was found failing, taken before it was ended. */
import * as v from 'valibot';

export const StackFrame = v.strictObject({
  name: v.string(),
  /** A path, or `node:internal/...`; empty: made by eval. */
  file: v.string(),
  /** Counted from 1. */
  line: v.number(),
  column: v.number(),
});
export type StackFrame = v.InferOutput<typeof StackFrame>;

export const Evidence = v.strictObject({
  at: v.pipe(v.string(), v.isoTimestamp()),
  pid: v.number(),
  /** One line for a person: `runs in spin (app.js:12)`. */
  summary: v.string(),
  /** Whether its event loop answered; null: it could not be asked. */
  answers: v.nullable(v.boolean()),
  /** What ran, innermost first; empty: nothing, or it could not be seen. */
  frames: v.array(StackFrame),
  /** What the event loop waits for, by kind, in the words of Node; null: it did not say. */
  resources: v.nullable(v.record(v.string(), v.number())),
  /** As in ps; null: it has ended. */
  state: v.nullable(v.string()),
  /** Where in the kernel it waits; null: nowhere, or it cannot be seen. */
  waitsIn: v.nullable(v.string()),
  openFiles: v.nullable(v.number()),
  rssBytes: v.nullable(v.number()),
  /** Why the stack is missing; null: it is not, or was not asked for. */
  missing: v.nullable(v.string()),
});
export type Evidence = v.InferOutput<typeof Evidence>;

/** What is done about an event loop that does not answer. Absent in what an older upkeep wrote. */
export const EventLoopSpec = v.strictObject({
  /** Silence for which the process itself is to blame. */
  limitMs: v.pipe(v.number(), v.minValue(500)),
  action: v.picklist(['restart', 'none']),
});
export type EventLoopSpec = v.InferOutput<typeof EventLoopSpec>;

export const DEFAULT_EVENT_LOOP: EventLoopSpec = { limitMs: 30_000, action: 'restart' };

/** Errors as kinds: what is the same mistake is counted, not listed. The shapes behind `upkeep errors`. */
import * as v from 'valibot';

const timestamp = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A moment that errors are compared with: whatever is first seen after it is new. */
export const MarkView = v.strictObject({
  service: v.string(),
  /** Counted from 1, by service. */
  id: v.number(),
  at: timestamp,
  /** `operation`: it was started, restarted or reloaded. `manual`: somebody said so. `release`: reserved. */
  kind: v.picklist(['operation', 'manual', 'release']),
  text: v.string(),
});
export type MarkView = v.InferOutput<typeof MarkView>;

/** It is known and not worth a word: until when, and who says so. */
export const MuteView = v.strictObject({
  reason: v.string(),
  owner: v.string(),
  at: timestamp,
  /** null: for good. */
  until: v.nullable(timestamp),
});
export type MuteView = v.InferOutput<typeof MuteView>;

export const ErrorKindView = v.strictObject({
  service: v.string(),
  /** The version of the algorithm and a fingerprint, `v1:3f2a9c…`. The same mistake of two services has the same one. */
  id: v.string(),
  title: v.string(),
  /** Of the exception, where there is one. */
  type: v.nullable(v.string()),
  /** The first frame that is the application's own, `db.js:10`. */
  at: v.nullable(v.string()),
  firstSeenAt: timestamp,
  lastSeenAt: timestamp,
  count,
  countSinceMark: count,
  /** In the last ten minutes, on average. */
  perMinute: v.number(),
  /** First seen since the last mark, or since what was asked for. */
  isNew: v.boolean(),
  mute: v.nullable(MuteView),
});
export type ErrorKindView = v.InferOutput<typeof ErrorKindView>;

/** One occurrence in full, the first one. */
export const ErrorSample = v.strictObject({
  at: timestamp,
  /** null: the log does not say. */
  instance: v.nullable(v.number()),
  attempt: v.nullable(v.number()),
  stream: v.picklist(['out', 'err']),
  /** What the same attempt wrote before it. */
  before: v.array(v.string()),
  lines: v.array(v.string()),
  /** Lines that were left out at the end, because there were too many. */
  omitted: count,
});
export type ErrorSample = v.InferOutput<typeof ErrorSample>;

export const ErrorKindDetail = v.strictObject({
  ...ErrorKindView.entries,
  /** Counts since each of the latest marks, oldest first. */
  marks: v.array(v.strictObject({ mark: MarkView, count })),
  /** Counts of the latest attempts that had it, oldest first. */
  attempts: v.array(v.strictObject({ instance: v.number(), attempt: v.number(), count })),
  /** null: it was one of too many kinds, and went. */
  sample: v.nullable(ErrorSample),
});
export type ErrorKindDetail = v.InferOutput<typeof ErrorKindDetail>;

export const ErrorsView = v.strictObject({
  kinds: v.array(ErrorKindView),
  services: v.array(
    v.strictObject({
      service: v.string(),
      /** The last one; null: there is none yet. */
      mark: v.nullable(MarkView),
      kinds: count,
      muted: count,
      /** Of the logs, that were not looked at because they grew too fast. */
      skippedBytes: count,
      /** false: at least so many; files were gone before their sizes were known. */
      isSkippedExact: v.boolean(),
      /** Kinds that were forgotten because there were too many. */
      forgotten: count,
    }),
  ),
});
export type ErrorsView = v.InferOutput<typeof ErrorsView>;

export const MuteRequest = v.strictObject({
  /** null: every service that has the kind. */
  service: v.nullable(v.string()),
  reason: v.pipe(v.string(), v.minLength(1), v.maxLength(500)),
  /** null: for good. */
  forMs: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1))),
});
export type MuteRequest = v.InferOutput<typeof MuteRequest>;

export const UnmuteRequest = v.strictObject({ service: v.nullable(v.string()) });
export type UnmuteRequest = v.InferOutput<typeof UnmuteRequest>;

export const MarkRequest = v.strictObject({
  /** Empty: all. */
  services: v.array(v.string()),
  text: v.pipe(v.string(), v.maxLength(200)),
});
export type MarkRequest = v.InferOutput<typeof MarkRequest>;

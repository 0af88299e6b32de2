/**
 * What is written of the errors of a service, and read again: a snapshot, and changes since then, one JSON line each. A line
 * holds what was counted together with how far the logs were read, so whoever comes after a killed daemon goes on exactly
 * there, and counts nothing twice.
 */
import * as v from 'valibot';

export const ERRORS_FORMAT = 1;

/** Milliseconds since the epoch. */
const time = v.number();
const counted = <const T extends v.TupleItems>(items: T) => v.array(v.tuple([...items, v.number()]));

export const StoredMark = v.object({
  id: v.number(),
  at: time,
  kind: v.picklist(['operation', 'manual', 'release']),
  text: v.string(),
});
export type StoredMark = v.InferOutput<typeof StoredMark>;

export const StoredMute = v.object({
  reason: v.string(),
  owner: v.string(),
  at: time,
  until: v.nullable(time),
});
export type StoredMute = v.InferOutput<typeof StoredMute>;

const identity = {
  id: v.string(),
  title: v.string(),
  type: v.nullable(v.string()),
  at: v.nullable(v.string()),
  firstAt: time,
};

/** `report`: by it whoever finds kinds learns again what it knew. */
export const NewKind = v.object({ ...identity, report: v.unknown() });
export type NewKind = v.InferOutput<typeof NewKind>;

export const StoredKind = v.object({
  ...identity,
  lastAt: time,
  count: v.number(),
  /** By the number of the mark; 0: before the first. */
  marks: counted([v.number()]),
  /** By instance and attempt. */
  attempts: counted([v.number(), v.number()]),
  /** By minutes since the epoch. */
  minutes: counted([v.number()]),
  mute: v.nullable(StoredMute),
});
export type StoredKind = v.InferOutput<typeof StoredKind>;

/** A record that may go on, as far as it was read. */
export const OpenRecord = v.object({
  instance: v.nullable(v.number()),
  attempt: v.nullable(v.number()),
  begunAt: v.nullable(time),
  /** When its first line was written. */
  at: time,
  /** Where that stands. */
  file: v.string(),
  offset: v.number(),
  lines: v.array(v.string()),
});
export type OpenRecord = v.InferOutput<typeof OpenRecord>;

/** How far a log was read. */
export const StoredStream = v.object({
  /** Which of its files, wherever that is by now; null: nothing was written yet. */
  file: v.nullable(v.string()),
  offset: v.number(),
  skippedBytes: v.number(),
  isSkippedExact: v.boolean(),
  open: v.array(OpenRecord),
});
export type StoredStream = v.InferOutput<typeof StoredStream>;

/** By the name of the log: `out`, `err`, and with a log for each instance `out-3`. */
export const StoredStreams = v.record(v.string(), StoredStream);
export type StoredStreams = v.InferOutput<typeof StoredStreams>;

/** So many of a kind, of one attempt, within one minute and between two marks; `at`: when the last of them was written. */
export const Seen = v.object({
  id: v.string(),
  instance: v.nullable(v.number()),
  attempt: v.nullable(v.number()),
  at: time,
  count: v.number(),
});
export type Seen = v.InferOutput<typeof Seen>;

const changes = {
  kinds: v.optional(v.array(NewKind)),
  seen: v.optional(v.array(Seen)),
  mark: v.optional(StoredMark),
  mute: v.optional(v.object({ id: v.string(), mute: v.nullable(StoredMute) })),
  streams: v.optional(StoredStreams),
};

/** Everything that may happen to the errors of a service. */
export const Change = v.object(changes);
export type Change = v.InferOutput<typeof Change>;

export const ChangeLine = v.object({ seq: v.number(), ...changes });

export const Snapshot = v.object({
  format: v.literal(ERRORS_FORMAT),
  /** Of the last change that it contains. */
  seq: v.number(),
  streams: StoredStreams,
  kinds: v.array(StoredKind),
  marks: v.array(StoredMark),
  /** Kinds that had to make room: when they were first seen, and how often. */
  forgotten: v.array(v.tuple([v.string(), time, v.number()])),
  forgottenCount: v.number(),
  /** What finds kinds has learned. */
  finder: v.unknown(),
});
export type Snapshot = v.InferOutput<typeof Snapshot>;

export const NOTHING_READ: StoredStream = {
  file: null,
  offset: 0,
  skippedBytes: 0,
  isSkippedExact: true,
  open: [],
};

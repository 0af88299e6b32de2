/**
 * What was measured of one service in one stretch of time, and how it lies on disk: 208 bytes each. Pure.
 *
 * There are two layouts, told apart by their checksums, so a version takes what it does not know for an empty slot. The first one, which is
 * only read, has the memory in 8 bytes and nothing of probes.
 */
import { add, BUCKETS, tally } from './histogram.js';

export interface Sample {
  /** Wall clock, seconds: the beginning of its slot. */
  readonly at: number;
  /** How much of the slot was measured, seconds. */
  readonly seconds: number;
  /** Of one core, the mean; whole trees. */
  readonly cpuPercent: number;
  /** The highest. */
  readonly rssBytes: number;
  /** The highest; 0: no preload tells. */
  readonly heapBytes: number;
  /** The latest that an event loop was; NaN: no preload tells. */
  readonly loopMaxMs: number;
  readonly requests: number;
  /** Answered with 5xx. */
  readonly errors: number;
  readonly latency: readonly number[];
  readonly probes: ProbeTimes;
}

/** How long health probes took; one that gets no answer takes its timeout. */
export interface ProbeTimes {
  readonly count: number;
  /** NaN: there were none. */
  readonly meanMs: number;
  readonly maxMs: number;
}

export const NO_PROBES: ProbeTimes = { count: 0, meanMs: NaN, maxMs: NaN };

export const SAMPLE_BYTES = 208;
const LATENCY_AT = 44;
/** What the checksum of each layout begins with. */
const [OLD, PRESENT] = [1, 2];
const KIB = 1024;
const MOST_PROBES = 0xffff;

/** What it lies in is used again by the next one. */
const ENCODED = Buffer.alloc(SAMPLE_BYTES);

/** Valid until the next call: hundreds are written at once. */
export function encode(sample: Sample): Buffer {
  const { probes, latency } = sample;
  const bytes = ENCODED.fill(0);
  bytes.writeUInt32LE(sample.at, 0);
  bytes.writeUInt16LE(sample.seconds, 8);
  bytes.writeUInt16LE(Math.min(MOST_PROBES, probes.count), 10);
  bytes.writeFloatLE(sample.cpuPercent, 12);
  bytes.writeUInt32LE(Math.round(sample.rssBytes / KIB) >>> 0, 16);
  bytes.writeFloatLE(probes.meanMs, 20);
  bytes.writeUInt32LE(Math.round(sample.heapBytes / KIB) >>> 0, 24);
  bytes.writeFloatLE(probes.maxMs, 28);
  bytes.writeFloatLE(sample.loopMaxMs, 32);
  bytes.writeUInt32LE(sample.requests >>> 0, 36);
  bytes.writeUInt32LE(sample.errors >>> 0, 40);
  for (let index = 0; index < latency.length && index < BUCKETS; index++)
    bytes.writeUInt32LE(latency[index]! >>> 0, LATENCY_AT + 4 * index);
  bytes.writeUInt32LE(checksum(bytes, PRESENT), 4);
  return bytes;
}

/** undefined: nothing was written there, or not all of it. */
export function decode(bytes: Buffer): Sample | undefined {
  const at = bytes.readUInt32LE(0);
  if (at === 0) return undefined;
  const sum = bytes.readUInt32LE(4);
  const isPresent = sum === checksum(bytes, PRESENT);
  if (!isPresent && sum !== checksum(bytes, OLD)) return undefined;
  const requests = bytes.readUInt32LE(36);
  return {
    at,
    ...(isPresent ? decodeHead(bytes) : decodeOldHead(bytes)),
    cpuPercent: bytes.readFloatLE(12),
    loopMaxMs: bytes.readFloatLE(32),
    requests,
    errors: bytes.readUInt32LE(40),
    latency: requests === 0 ? [] : tally((index) => bytes.readUInt32LE(LATENCY_AT + 4 * index)),
  };
}

type Head = Pick<Sample, 'seconds' | 'rssBytes' | 'heapBytes' | 'probes'>;

function decodeHead(bytes: Buffer): Head {
  const [count, meanMs, maxMs] = [bytes.readUInt16LE(10), bytes.readFloatLE(20), bytes.readFloatLE(28)];
  return {
    seconds: bytes.readUInt16LE(8),
    rssBytes: bytes.readUInt32LE(16) * KIB,
    heapBytes: bytes.readUInt32LE(24) * KIB,
    probes: { count, meanMs, maxMs },
  };
}

function decodeOldHead(bytes: Buffer): Head {
  return {
    seconds: bytes.readUInt32LE(8),
    rssBytes: bytes.readDoubleLE(16),
    heapBytes: bytes.readDoubleLE(24),
    probes: NO_PROBES,
  };
}

/** Of everything but itself. */
function checksum({ buffer, byteOffset }: Buffer, layout: number): number {
  const words = new DataView(buffer, byteOffset, SAMPLE_BYTES);
  let sum = layout;
  for (let at = 0; at < SAMPLE_BYTES; at += 4)
    if (at !== 4) sum = (Math.imul(sum, 31) + words.getUint32(at, true)) | 0;
  return sum >>> 0;
}

/** One for all of them, in the slot that begins at `at`; undefined for none. */
export function merge(at: number, samples: readonly Sample[]): Sample | undefined {
  const seconds = samples.reduce((sum, sample) => sum + sample.seconds, 0);
  if (seconds === 0) return undefined;
  const sum = (pick: (sample: Sample) => number): number => samples.reduce((all, one) => all + pick(one), 0);
  const loops = samples.map(({ loopMaxMs }) => loopMaxMs).filter((value) => !Number.isNaN(value));
  return {
    at,
    seconds,
    cpuPercent: sum(({ cpuPercent, seconds: its }) => cpuPercent * its) / seconds,
    rssBytes: Math.max(...samples.map(({ rssBytes }) => rssBytes)),
    heapBytes: Math.max(...samples.map(({ heapBytes }) => heapBytes)),
    loopMaxMs: loops.length === 0 ? NaN : Math.max(...loops),
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    latency: samples.reduce(
      (all, { requests, latency }) => (requests === 0 ? all : add(all, latency)),
      [] as readonly number[],
    ),
    probes: mergeProbes(samples.map(({ probes }) => probes)),
  };
}

export function mergeProbes(parts: readonly ProbeTimes[]): ProbeTimes {
  const some = parts.filter(({ count }) => count > 0);
  if (some.length === 0) return NO_PROBES;
  const count = some.reduce((sum, part) => sum + part.count, 0);
  const sumMs = some.reduce((sum, part) => sum + part.meanMs * part.count, 0);
  return { count, meanMs: sumMs / count, maxMs: Math.max(...some.map(({ maxMs }) => maxMs)) };
}

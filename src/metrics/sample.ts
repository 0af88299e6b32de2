/** What was measured of one service in one stretch of time, and how it lies on disk: 208 bytes each. Pure. */
import { add, BUCKETS } from './histogram.js';

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
}

export const SAMPLE_BYTES = 208;
const LATENCY_AT = 44;

export function encode(sample: Sample): Buffer {
  const bytes = Buffer.alloc(SAMPLE_BYTES);
  bytes.writeUInt32LE(sample.at, 0);
  bytes.writeUInt32LE(sample.seconds, 8);
  bytes.writeFloatLE(sample.cpuPercent, 12);
  bytes.writeDoubleLE(sample.rssBytes, 16);
  bytes.writeDoubleLE(sample.heapBytes, 24);
  bytes.writeFloatLE(sample.loopMaxMs, 32);
  bytes.writeUInt32LE(sample.requests >>> 0, 36);
  bytes.writeUInt32LE(sample.errors >>> 0, 40);
  for (let index = 0; index < BUCKETS; index++)
    bytes.writeUInt32LE((sample.latency[index] ?? 0) >>> 0, LATENCY_AT + 4 * index);
  bytes.writeUInt32LE(checksum(bytes), 4);
  return bytes;
}

/** undefined: nothing was written there, or not all of it. */
export function decode(bytes: Buffer): Sample | undefined {
  const at = bytes.readUInt32LE(0);
  if (at === 0 || bytes.readUInt32LE(4) !== checksum(bytes)) return undefined;
  return {
    at,
    seconds: bytes.readUInt32LE(8),
    cpuPercent: bytes.readFloatLE(12),
    rssBytes: bytes.readDoubleLE(16),
    heapBytes: bytes.readDoubleLE(24),
    loopMaxMs: bytes.readFloatLE(32),
    requests: bytes.readUInt32LE(36),
    errors: bytes.readUInt32LE(40),
    latency: Array.from({ length: BUCKETS }, (_, index) => bytes.readUInt32LE(LATENCY_AT + 4 * index)),
  };
}

/** Of everything but itself. */
function checksum(bytes: Buffer): number {
  let sum = 1;
  for (let at = 0; at < SAMPLE_BYTES; at += 4)
    if (at !== 4) sum = (Math.imul(sum, 31) + bytes.readUInt32LE(at)) >>> 0;
  return sum;
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
  };
}

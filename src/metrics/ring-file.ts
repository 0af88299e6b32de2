/**
 * Samples of one service at one pace: a file of fixed size, where each slot of time has its place, over that of the round before.
 * Writing one again changes nothing, so a kill needs no care.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { decode, encode, SAMPLE_BYTES, type Sample } from './sample.js';

const { O_CREAT, O_WRONLY } = constants;

export interface Pace {
  /** Of a slot. */
  readonly seconds: number;
  /** Slots in the file. */
  readonly slots: number;
}

/** Two hours, three days, 400 days. */
export const PACES = [
  { seconds: 10, slots: 720 },
  { seconds: 60, slots: 4320 },
  { seconds: 3600, slots: 9600 },
] as const satisfies readonly Pace[];

export function slotOf(at: number, { seconds }: Pace): number {
  return Math.floor(at / seconds) * seconds;
}

export class RingFile {
  readonly path: string;
  readonly pace: Pace;

  constructor(path: string, pace: Pace) {
    this.path = `${path}.${pace.seconds}s`;
    this.pace = pace;
  }

  write(sample: Sample): void {
    this.writeBytes(sample.at, encode(sample));
  }

  /** A sample as it was encoded. */
  writeBytes(at: number, bytes: Buffer): void {
    const fd = openSync(this.path, O_CREAT | O_WRONLY, 0o600);
    try {
      writeSync(fd, bytes, 0, SAMPLE_BYTES, this.#place(at));
    } finally {
      closeSync(fd);
    }
  }

  /** Those whose slots begin in [from, to), seconds; oldest first. */
  read(from: number, to: number): Sample[] {
    const { seconds, slots } = this.pace;
    const first = Math.max(
      slotOf(from + seconds - 1, this.pace),
      slotOf(to - 1, this.pace) - (slots - 1) * seconds,
    );
    const count = Math.max(0, Math.ceil((to - first) / seconds));
    if (count === 0) return [];
    let fd: number;
    try {
      fd = openSync(this.path, 'r');
    } catch {
      return []; // nothing was written yet
    }
    try {
      const place = this.#place(first);
      const untilEnd = Math.min(count, slots - place / SAMPLE_BYTES);
      const samples = [...readSlots(fd, place, untilEnd), ...readSlots(fd, 0, count - untilEnd)];
      return samples.filter(({ at }) => at >= first && at < to);
    } finally {
      closeSync(fd);
    }
  }

  #place(at: number): number {
    return (Math.floor(at / this.pace.seconds) % this.pace.slots) * SAMPLE_BYTES;
  }
}

function readSlots(fd: number, place: number, count: number): Sample[] {
  const bytes = Buffer.alloc(count * SAMPLE_BYTES);
  const length = count === 0 ? 0 : readSync(fd, bytes, 0, bytes.length, place);
  const samples: Sample[] = [];
  for (let at = 0; at + SAMPLE_BYTES <= length; at += SAMPLE_BYTES) {
    const sample = decode(bytes.subarray(at, at + SAMPLE_BYTES));
    if (sample) samples.push(sample);
  }
  return samples;
}

/** Reads the index of a log file: who wrote what, and when. Its format is described in native/log.c. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import type { LogFiles } from './log-files.js';

/** One attempt, for ever: also where a service was deleted and described again. */
export interface LogRun {
  readonly instance: number;
  readonly attempt: number;
  /** As its shim reported it: wall clock, milliseconds since the epoch. */
  readonly begunAt: number;
}

/** From this offset on, up to that of the next mark, the lines are of this attempt. */
export interface Mark extends LogRun {
  readonly offset: number;
  /** When the first of them was written, to 50 ms for the others. */
  readonly at: number;
}

const RECORD_BYTES = 32;
const MAGIC = 'upkidx1\0';
/** From the end at first as many as usually do, then more at a time. */
const FIRST_BLOCK_BYTES = 32 * RECORD_BYTES;
const BLOCK_BYTES = 2048 * RECORD_BYTES;
/** Written and read on the same machine. */
const IS_LITTLE = endianness() === 'LE';

/** Reads on, mark by mark, as they are written. */
export class LogIndex {
  readonly #fd: number;
  #position = RECORD_BYTES;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** By what it says that it belongs to: the two files are not moved in the same moment. */
  static find(files: LogFiles, inode: number): LogIndex | undefined {
    for (const number of files.numbers()) {
      const fd = openToRead(files.indexPath(number));
      if (fd === undefined) continue;
      if (belongsTo(fd, inode)) return new LogIndex(fd);
      closeSync(fd);
    }
    return undefined;
  }

  /** Those that have come since the last call. */
  read(): Mark[] {
    const end = this.#end();
    if (end < this.#position) this.#position = RECORD_BYTES; // begun anew, with its log
    const marks = this.#marks(this.#position, end);
    this.#position += marks.length * RECORD_BYTES;
    return marks;
  }

  /** Those that hold, from the last one. */
  *backwards(): Generator<Mark> {
    let lowest = Infinity;
    let bytes = FIRST_BLOCK_BYTES;
    for (let end = this.#end(); end > RECORD_BYTES; end -= bytes, bytes = BLOCK_BYTES) {
      for (const mark of this.#marks(Math.max(RECORD_BYTES, end - bytes), end).reverse()) {
        // At a higher offset than a later one: the log was truncated between them.
        if (mark.offset >= lowest) continue;
        lowest = mark.offset;
        yield mark;
      }
    }
  }

  first(): Mark | undefined {
    return this.#marks(RECORD_BYTES, 2 * RECORD_BYTES)[0];
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Of the last whole record. */
  #end(): number {
    const { size } = fstatSync(this.#fd);
    return size - (size % RECORD_BYTES);
  }

  #marks(from: number, to: number): Mark[] {
    const records = Buffer.alloc(Math.max(0, to - from));
    const length = readSync(this.#fd, records, 0, records.length, from);
    const marks: Mark[] = [];
    for (let at = 0; at + RECORD_BYTES <= length; at += RECORD_BYTES) marks.push(parseMark(records, at));
    return marks;
  }
}

export function openToRead(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined; // nothing was written yet, or it has just been moved aside
  }
}

/** Only those that still hold: one at a lower offset says that the log was truncated before it. */
export function withoutTruncated(marks: readonly Mark[]): Mark[] {
  const valid: Mark[] = [];
  for (const mark of marks) {
    while (valid.length > 0 && valid.at(-1)!.offset >= mark.offset) valid.pop();
    valid.push(mark);
  }
  return valid;
}

function belongsTo(fd: number, inode: number): boolean {
  const head = Buffer.alloc(RECORD_BYTES);
  if (readSync(fd, head, 0, RECORD_BYTES, 0) < RECORD_BYTES) return false;
  return head.toString('latin1', 0, MAGIC.length) === MAGIC && readNumber(head, 8) === inode;
}

function parseMark(records: Buffer, at: number): Mark {
  return {
    at: readNumber(records, at),
    offset: readNumber(records, at + 8),
    begunAt: readNumber(records, at + 16),
    instance: IS_LITTLE ? records.readUInt32LE(at + 24) : records.readUInt32BE(at + 24),
    attempt: IS_LITTLE ? records.readUInt32LE(at + 28) : records.readUInt32BE(at + 28),
  };
}

function readNumber(record: Buffer, at: number): number {
  return Number(IS_LITTLE ? record.readBigUInt64LE(at) : record.readBigUInt64BE(at));
}

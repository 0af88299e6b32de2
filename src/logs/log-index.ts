/** Reads the index of a log file: who wrote what, and when. Its format is described in native/log.c. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import type { LogFiles } from './log-files.js';
import type { LogMarks } from './log-sources.js';
import { openToRead } from './open-to-read.js';

/** One attempt, for ever: also where a service was deleted and described again. */
export interface LogRun {
  readonly instance: number;
  /** 0: upkeep itself, which says how much is missing at this place. */
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

export class LogIndex implements LogMarks {
  readonly #fd: number;
  /** Of the records that `read` has not seen. */
  #position = RECORD_BYTES;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** By what it says that it belongs to: the two files are not moved in the same moment. */
  static find(files: LogFiles, inode: number, likely = 0): LogIndex | undefined {
    for (const number of [likely, ...files.numbers()]) {
      const fd = openToRead(files.indexPath(number));
      if (fd === undefined) continue;
      if (belongsTo(fd, inode)) return new LogIndex(fd);
      closeSync(fd);
    }
    return undefined;
  }

  get birth(): bigint {
    return readLarge(this.#head(), 16);
  }

  /** Those that have come since the last call, mark by mark, as they are written. */
  read(): Mark[] {
    const end = this.#end();
    if (end < this.#position) this.#position = RECORD_BYTES; // begun anew, with its log
    const marks = this.#read(this.#position, end);
    this.#position += marks.length * RECORD_BYTES;
    return marks;
  }

  first(): Mark | undefined {
    return this.#read(RECORD_BYTES, 2 * RECORD_BYTES)[0];
  }

  marks(from: number, to: number): Mark[] {
    const [start, end] = this.#isOrdered()
      ? [this.#search(({ offset }) => offset > from), this.#search(({ offset }) => offset >= to)]
      : [RECORD_BYTES, this.#end()];
    const marks = this.#read(Math.max(RECORD_BYTES, start - RECORD_BYTES), Math.max(start, end));
    const valid = withoutTruncated(marks);
    const first = valid.findLastIndex(({ offset }) => offset <= from);
    return valid
      .slice(Math.max(0, first))
      .filter(({ offset }, index) => offset < to || (index === 0 && first >= 0));
  }

  *backwards(): Generator<Mark> {
    let lowest = Infinity;
    let bytes = FIRST_BLOCK_BYTES;
    for (let end = this.#end(); end > RECORD_BYTES; end -= bytes, bytes = BLOCK_BYTES) {
      for (const mark of this.#read(Math.max(RECORD_BYTES, end - bytes), end).reverse()) {
        // At a higher offset than a later one: the log was truncated between them.
        if (mark.offset >= lowest) continue;
        lowest = mark.offset;
        yield mark;
      }
    }
  }

  since(at: number): Mark | undefined {
    if (!this.#isOrdered()) return this.#all().find((mark) => mark.at >= at);
    const position = this.#search((mark) => mark.at >= at);
    return this.#read(position, position + RECORD_BYTES)[0];
  }

  range(): { from: number; to: number } | undefined {
    const [first, last] = [this.first(), this.#read(this.#end() - RECORD_BYTES, this.#end())[0]];
    if (!first || !last) return undefined;
    if (this.#isOrdered()) return { from: first.at, to: last.at };
    const all = this.#all();
    const from = all.reduce((least, { at }) => Math.min(least, at), Infinity);
    return { from, to: all.reduce((most, { at }) => Math.max(most, at), 0) };
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** No mark has an earlier time or a lower offset than the one before it: its writers would have said so. */
  #isOrdered(): boolean {
    const head = this.#head();
    return readLarge(head, 16) !== 0n && readLarge(head, 24) === 0n;
  }

  #all(): Mark[] {
    return withoutTruncated(this.#read(RECORD_BYTES, this.#end()));
  }

  /** Where the first record stands that is so, as are all after it. */
  #search(isSo: (mark: Mark) => boolean): number {
    let [low, high] = [1, this.#end() / RECORD_BYTES];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const [mark] = this.#read(middle * RECORD_BYTES, (middle + 1) * RECORD_BYTES);
      if (!mark || isSo(mark)) high = middle;
      else low = middle + 1;
    }
    return low * RECORD_BYTES;
  }

  #head(): Buffer {
    const head = Buffer.alloc(RECORD_BYTES);
    readSync(this.#fd, head, 0, RECORD_BYTES, 0);
    return head;
  }

  /** Of the last whole record. */
  #end(): number {
    const { size } = fstatSync(this.#fd);
    return size - (size % RECORD_BYTES);
  }

  #read(from: number, to: number): Mark[] {
    if (from < RECORD_BYTES) return [];
    const records = Buffer.alloc(Math.max(0, to - from));
    const length = readSync(this.#fd, records, 0, records.length, from);
    const marks: Mark[] = [];
    for (let at = 0; at + RECORD_BYTES <= length; at += RECORD_BYTES) marks.push(parseMark(records, at));
    return marks;
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
  return Number(readLarge(record, at));
}

function readLarge(record: Buffer, at: number): bigint {
  return IS_LITTLE ? record.readBigUInt64LE(at) : record.readBigUInt64BE(at);
}

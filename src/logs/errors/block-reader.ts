/**
 * Reads a log in blocks of whole lines, on from where somebody was before, across rotation and compression, and knows how
 * much it has left out. What a caller gets is overwritten by the next read of any log: it keeps nothing and allocates
 * nothing, however much is written.
 */
import { statSync } from 'node:fs';
import type { LogFiles } from '../log-files.js';
import { LogSegment } from '../log-segment.js';
import type { StoredStream } from './change.js';

export type LogPosition = Omit<StoredStream, 'open'>;

/** At a time, so that nobody waits long for the reader; and more than the longest line. */
const BLOCK_BYTES = 128 * 1024;
const BLOCK = Buffer.allocUnsafe(512 * 1024);
const NEWLINE = 0x0a;

export interface Block {
  readonly segment: LogSegment;
  /** The segment's id. */
  readonly file: string;
  /** Where its first byte stands. */
  readonly from: number;
  readonly lines: Buffer;
}

export class BlockReader {
  readonly #files: LogFiles;
  #position: LogPosition;
  #segment: LogSegment | undefined;
  /** Its id, once it has lines and so an index. */
  #file: string | undefined;
  /** What the current file looked like when all of it was read. */
  #seen: { readonly inode: number; readonly size: number } | undefined;

  constructor(files: LogFiles, position: LogPosition) {
    this.#files = files;
    this.#position = position;
  }

  /** The place after the last line that was written so far. */
  static end(files: LogFiles): Pick<LogPosition, 'file' | 'offset'> {
    const segment = LogSegment.open(files, 0);
    if (!segment) return { file: null, offset: 0 };
    segment.skipToEnd();
    const end = { file: segment.id, offset: segment.offset };
    segment.close();
    return end;
  }

  get position(): LogPosition {
    return this.#position;
  }

  /** One look at a size. */
  hasNews(): boolean {
    const current = statSync(this.#files.path(), { throwIfNoEntry: false });
    const hasNews = current
      ? this.#seen?.inode !== current.ino || this.#seen.size !== current.size
      : this.#segment !== undefined;
    // Nothing is held open while nothing is written.
    if (!hasNews) this.close();
    return hasNews;
  }

  /** undefined: all of it was read. */
  next(): Block | undefined {
    for (;;) {
      const segment = (this.#segment ??= this.#reopen());
      if (!segment) return undefined;
      // Asked before it is read: after it was moved aside nothing is added.
      const isCurrent = this.#files.inode(0) === inodeOf(this.#fileOf(segment));
      const { size } = segment;
      const block = this.#read(segment, size);
      if (block) return block;
      if (isCurrent) this.#rest(segment, size);
      if (isCurrent || !this.#goOn(segment)) return undefined;
    }
  }

  /** How many bytes are still to be read. */
  behind(): number {
    const segment = (this.#segment ??= this.#reopen());
    return segment ? segment.size - this.#position.offset + this.#sizesAfter(segment.place()) : 0;
  }

  /** Goes on near the end; what it leaves out is counted. */
  skip(restBytes: number): void {
    for (;;) {
      const from = (this.#segment ??= this.#reopen());
      const place = from?.place();
      const to = from && LogSegment.open(this.#files, 0);
      if (!to) return;
      const start = place === 0 ? this.#position.offset : 0;
      to.offset = lineAfter(to, Math.max(start, to.size - restBytes));
      const between = place === 0 ? -start : from.size - this.#position.offset + this.#sizesAfter(place, 1);
      if (from.place() === place) return this.#jump(to, between + to.offset, place !== undefined);
      to.close(); // rotated meanwhile
    }
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
    this.#file = undefined;
  }

  #read(segment: LogSegment, size: number): Block | undefined {
    if (size < this.#position.offset) this.#move(segment, 0); // truncated by somebody
    const from = this.#position.offset;
    const wholeLines = (length: number): Buffer => {
      const bytes = segment.bytes(from, Math.min(size, from + length), BLOCK);
      return bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    };
    let lines = wholeLines(BLOCK_BYTES);
    if (lines.length === 0 && size - from > BLOCK_BYTES) lines = wholeLines(BLOCK.length);
    if (lines.length === 0 && size - from > BLOCK.length) return this.#passOver(segment, size);
    if (lines.length === 0) return undefined;
    this.#move(segment, from + lines.length);
    return { segment, file: this.#fileOf(segment), from, lines };
  }

  /** Not a line of upkeep's. */
  #passOver(segment: LogSegment, size: number): Block | undefined {
    this.#move(segment, this.#position.offset + BLOCK.length, BLOCK.length);
    return this.#read(segment, size);
  }

  #rest(segment: LogSegment, size: number): void {
    // Half a line of somebody else's may be there: it is looked at when it has grown.
    this.#seen = { inode: inodeOf(this.#fileOf(segment)), size };
  }

  #reopen(): LogSegment | undefined {
    const { file, offset } = this.#position;
    const numbers = this.#files.numbers();
    for (const number of numbers) {
      const segment = LogSegment.open(this.#files, number);
      if (segment && isMeant(segment.id, file)) return segment;
      segment?.close();
    }
    const oldest = numbers.findLast((number) => this.#isLater(number));
    const segment = oldest === undefined ? undefined : LogSegment.open(this.#files, oldest);
    return segment && this.#begin(segment, file === null && offset === 0);
  }

  #begin(segment: LogSegment, isExact: boolean): LogSegment {
    this.#file = undefined;
    this.#move(segment, 0, 0, isExact);
    return segment;
  }

  /** Begun after the one that is gone. */
  #isLater(number: number): boolean {
    const segment = LogSegment.open(this.#files, number);
    const isLater = segment !== undefined && birthOf(segment.id) >= birthOf(this.#position.file);
    segment?.close();
    return isLater;
  }

  /** To the file after the one that was read; false: there is none yet. */
  #goOn(segment: LogSegment): boolean {
    for (;;) {
      const place = segment.place();
      const number = place === undefined ? this.#files.numbers().at(-1) : place - 1;
      const next = number === undefined || number < 0 ? undefined : LogSegment.open(this.#files, number);
      if (segment.place() === place) {
        if (next) this.#jump(next, 0, place !== undefined);
        return next !== undefined;
      }
      next?.close(); // moved on meanwhile
    }
  }

  #jump(to: LogSegment, skippedBytes: number, isExact: boolean): void {
    this.close();
    this.#segment = to;
    this.#move(to, to.offset, skippedBytes, isExact);
  }

  #move(segment: LogSegment, offset: number, skippedBytes = 0, isExact = true): void {
    this.#position = {
      file: this.#fileOf(segment),
      offset,
      skippedBytes: this.#position.skippedBytes + skippedBytes,
      isSkippedExact: this.#position.isSkippedExact && isExact,
    };
  }

  #fileOf(segment: LogSegment): string {
    if (this.#file !== undefined) return this.#file;
    const { id } = segment;
    // A file is made a moment before its index, which knows its birth.
    if (birthOf(id) > 0n) this.#file = id;
    return id;
  }

  /** Of the files after the one at a place, down to one. */
  #sizesAfter(place: number | undefined, least = 0): number {
    let sum = 0;
    for (const number of this.#files.numbers()) {
      if (number < least || (place !== undefined && number >= place)) continue;
      const segment = LogSegment.open(this.#files, number);
      sum += segment?.size ?? 0;
      segment?.close();
    }
    return sum;
  }
}

function lineAfter(segment: LogSegment, offset: number): number {
  if (offset === 0) return 0;
  const bytes = segment.bytes(offset - 1, Math.min(segment.size, offset + BLOCK.length - 1), BLOCK);
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? segment.size : offset + end;
}

/** Also where that was noted before the file had an index: then it had no lines. */
function isMeant(id: string, file: string | null): boolean {
  return id === file || (file !== null && birthOf(file) === 0n && inodeOf(id) === inodeOf(file));
}

/** LogSegment.id is made of the two. */
function inodeOf(id: string | null): number {
  return Number(id?.split('.')[0] ?? 0);
}

function birthOf(id: string | null): bigint {
  return BigInt(id?.split('.')[1] ?? 0);
}

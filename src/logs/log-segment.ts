/** One file of a log, open, with its index; it stays the same however often it is moved aside. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import type { LogFiles } from './log-files.js';
import { LogIndex, openToRead, withoutTruncated, type LogRun, type Mark } from './log-index.js';

/** At a time: more than the longest line, and so little that nobody waits long for the reader. */
const READ_BYTES = 512 * 1024;
const NEWLINE = 0x0a;

/** Whole lines of one writer. */
export interface LogPiece {
  /** null: the index does not say. */
  readonly run: LogRun | null;
  readonly lines: Buffer;
}

interface Range {
  readonly run: LogRun | null;
  readonly from: number;
  to: number;
}

export class LogSegment {
  readonly inode: number;
  readonly #files: LogFiles;
  readonly #fd: number;
  #index: LogIndex | undefined;
  /** From the one that holds at the offset on. */
  #marks: Mark[] = [];
  /** Where `read` goes on. */
  offset = 0;

  private constructor(files: LogFiles, fd: number) {
    this.#files = files;
    this.#fd = fd;
    this.inode = fstatSync(fd).ino;
  }

  static open(files: LogFiles, number: number): LogSegment | undefined {
    const fd = openToRead(files.path(number));
    return fd === undefined ? undefined : new LogSegment(files, fd);
  }

  /** Wall clock, milliseconds since the epoch. */
  get writtenAt(): number {
    return fstatSync(this.#fd).mtimeMs;
  }

  /** Of the last line that is whole. */
  skipToEnd(): void {
    this.offset = Math.max(0, this.#size() - READ_BYTES);
    this.offset += this.#block().lastIndexOf(NEWLINE) + 1;
  }

  /** Whole lines, up to half a megabyte of them. */
  read(): LogPiece[] {
    if (this.#size() < this.offset) this.offset = 0; // truncated by somebody
    const block = this.#block();
    const lines = block.subarray(0, block.lastIndexOf(NEWLINE) + 1);
    if (lines.length === 0) return [];
    this.#readMarks(); // after the lines: each mark is written before its own
    const start = this.offset;
    this.offset += lines.length;
    const ranges = this.#ranges(start, this.offset);
    const current = this.#marks.findLastIndex((mark) => mark.offset <= this.offset);
    this.#marks = this.#marks.slice(Math.max(0, current));
    return ranges.map(({ run, from, to }) => ({ run, lines: lines.subarray(from - start, to - start) }));
  }

  /** What an attempt wrote, in pieces, from the last one. */
  *backwards(run: LogRun): Generator<{ from: number; to: number }> {
    let to = this.#size();
    for (const mark of this.#findIndex()?.backwards() ?? []) {
      if (isOf(mark, run)) yield { from: mark.offset, to: Math.max(mark.offset, to) };
      else if (mark.at < run.begunAt) return;
      to = Math.min(to, mark.offset);
    }
  }

  /** The last bytes that an attempt wrote here. */
  tail(run: LogRun, bytes: number): Buffer {
    const parts: Buffer[] = [];
    let missing = bytes;
    for (const { from, to } of this.backwards(run)) {
      const part = this.#bytes(Math.max(from, to - missing), to);
      parts.unshift(part);
      missing -= part.length;
      if (missing <= 0) break;
    }
    return Buffer.concat(parts);
  }

  /** Nothing of the attempt can be in an older one. */
  isOlderThan({ begunAt }: LogRun): boolean {
    const first = this.#findIndex()?.first();
    return first !== undefined && first.at < begunAt;
  }

  close(): void {
    closeSync(this.#fd);
    this.#index?.close();
  }

  #size(): number {
    return fstatSync(this.#fd).size;
  }

  #block(): Buffer {
    return this.#bytes(this.offset, Math.min(this.#size(), this.offset + READ_BYTES));
  }

  #bytes(from: number, to: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(0, to - from));
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, bytes.length, from));
  }

  #findIndex(): LogIndex | undefined {
    this.#index ??= LogIndex.find(this.#files, this.inode);
    return this.#index;
  }

  #readMarks(): void {
    const marks = this.#findIndex()?.read() ?? [];
    if (marks.length > 0) this.#marks = withoutTruncated([...this.#marks, ...marks]);
  }

  /** Cut at the marks; what one attempt wrote in a row stays together. */
  #ranges(start: number, end: number): Range[] {
    const ranges: Range[] = [];
    let run: LogRun | null = null;
    let from = start;
    const add = (to: number): void => {
      if (to <= from) return;
      const last = ranges.at(-1);
      if (last && isSame(last.run, run)) last.to = to;
      else ranges.push({ run, from, to });
      from = to;
    };
    for (const mark of this.#marks) {
      if (mark.offset >= end) break;
      add(mark.offset);
      run = mark;
    }
    add(end);
    return ranges;
  }
}

export function isOf(run: LogRun, { instance, attempt, begunAt }: LogRun): boolean {
  return run.instance === instance && run.attempt === attempt && run.begunAt === begunAt;
}

function isSame(one: LogRun | null, other: LogRun | null): boolean {
  return one === null || other === null ? one === other : isOf(one, other);
}

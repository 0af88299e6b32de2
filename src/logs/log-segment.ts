/**
 * One file of a log, open, with what its index says; it stays the same however often it is moved aside, and also when it is
 * compressed meanwhile. Offsets are those of the lines as they were written.
 */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { LogArchive } from './archive/log-archive.js';
import type { LogFiles } from './log-files.js';
import { LogIndex, withoutTruncated, type LogRun, type Mark } from './log-index.js';
import type { LogMarks, LogText } from './log-sources.js';
import { openToRead } from './open-to-read.js';

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
  readonly #files: LogFiles;
  readonly #text: LogText;
  #index: LogMarks | undefined;
  /** From the one that holds at the offset on. */
  #marks: Mark[] = [];
  /** Where `read` goes on. */
  offset = 0;

  private constructor(files: LogFiles, text: LogText, index: LogMarks | undefined) {
    this.#files = files;
    this.#text = text;
    this.#index = index;
  }

  static open(files: LogFiles, number: number): LogSegment | undefined {
    const text = PlainText.open(files.path(number));
    // At once: when it is compressed its index goes, too.
    if (text) return new LogSegment(files, text, LogIndex.find(files, text.inode, number));
    const archive = LogArchive.open(files.archivePath(number));
    return archive && new LogSegment(files, archive, archive);
  }

  /** The same for a file and what it is compressed to, and unlike that of any other log in its folder. */
  get id(): string {
    return `${this.#text.inode}.${this.#findIndex()?.birth ?? 0n}`;
  }

  get isArchived(): boolean {
    return this.#text instanceof LogArchive;
  }

  /** Of the file that was written. */
  get inode(): number {
    return this.#text.inode;
  }

  /** Its number by now; undefined: it was deleted. */
  place(): number | undefined {
    if (this.#isAt(0)) return 0;
    return this.#files.numbers().find((number) => this.#isAt(number) || this.#isArchivedAt(number));
  }

  /** Of its lines; it may grow as long as its number is 0. */
  get size(): number {
    return this.#text.size;
  }

  /** Wall clock, milliseconds since the epoch. */
  get writtenAt(): number {
    return this.#text.writtenAt;
  }

  /** Its earliest and its latest mark; undefined: nothing is known of when it was written. */
  get range(): { from: number; to: number } | undefined {
    return this.#findIndex()?.range();
  }

  /** What stands between two offsets; fewer bytes where it ends before. `into`: for who reads much, see `LogText`. */
  bytes(from: number, to: number, into?: Buffer): Buffer {
    return this.#text.bytes(from, to, into);
  }

  /** Those that hold between two offsets: who wrote what, and when. The first may stand before `from`. */
  marks(from: number, to: number): Mark[] {
    return this.#findIndex()?.marks(from, to) ?? [];
  }

  /** Where the first line is that was written at this time (milliseconds since the epoch) or later; its size: none was. */
  offsetAt(time: number): number {
    const size = this.size; // before the marks: whatever is below it has one
    return this.#findIndex()?.since(time)?.offset ?? size;
  }

  /** Of the last line that is whole. */
  skipToEnd(): void {
    this.offset = Math.max(0, this.size - READ_BYTES);
    this.offset += this.#block().lastIndexOf(NEWLINE) + 1;
  }

  /** Whole lines, up to half a megabyte of them. */
  read(): LogPiece[] {
    if (this.size < this.offset) this.offset = 0; // truncated by somebody
    const block = this.#block();
    const lines = block.subarray(0, block.lastIndexOf(NEWLINE) + 1);
    if (lines.length === 0) return [];
    const start = this.offset;
    this.offset += lines.length;
    this.#readMarks(start); // after the lines: each mark is written before its own
    const ranges = this.#ranges(start, this.offset);
    const current = this.#marks.findLastIndex((mark) => mark.offset <= this.offset);
    this.#marks = this.#marks.slice(Math.max(0, current));
    return ranges.map(({ run, from, to }) => ({ run, lines: lines.subarray(from - start, to - start) }));
  }

  /** What an attempt wrote, in pieces, from the last one. */
  *backwards(run: LogRun): Generator<{ from: number; to: number }> {
    let to = this.size;
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
      const part = this.bytes(Math.max(from, to - missing), to);
      parts.unshift(part);
      missing -= part.length;
      if (missing <= 0) break;
    }
    return Buffer.concat(parts);
  }

  /** When it wrote here last, to 50 ms. */
  lastAt(run: LogRun): number | undefined {
    for (const mark of this.#findIndex()?.backwards() ?? []) {
      if (isOf(mark, run)) return mark.at;
      if (mark.at < run.begunAt) return undefined;
    }
    return undefined;
  }

  /** Nothing of the attempt can be in an older one. */
  isOlderThan({ begunAt }: LogRun): boolean {
    const first = this.#findIndex()?.first();
    return first !== undefined && first.at < begunAt;
  }

  close(): void {
    this.#text.close();
    if (this.#index instanceof LogIndex) this.#index.close();
  }

  /** As long as it is open no other file gets its inode; that of one that was compressed may be another's by now. */
  #isAt(number: number): boolean {
    return this.#text instanceof PlainText && this.#files.inode(number) === this.#text.inode;
  }

  #isArchivedAt(number: number): boolean {
    const archive = LogArchive.open(this.#files.archivePath(number));
    archive?.close();
    return archive !== undefined && `${archive.inode}.${archive.birth}` === this.id;
  }

  #block(): Buffer {
    return this.bytes(this.offset, Math.min(this.size, this.offset + READ_BYTES));
  }

  #findIndex(): LogMarks | undefined {
    this.#index ??= LogIndex.find(this.#files, this.#text.inode);
    return this.#index;
  }

  #readMarks(start: number): void {
    const index = this.#findIndex();
    if (index instanceof LogIndex) this.#marks = withoutTruncated([...this.#marks, ...index.read()]);
    else this.#marks = index?.marks(start, this.offset) ?? [];
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

class PlainText implements LogText {
  readonly inode: number;
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
    this.inode = fstatSync(fd).ino;
  }

  static open(path: string): PlainText | undefined {
    const fd = openToRead(path);
    return fd === undefined ? undefined : new PlainText(fd);
  }

  get size(): number {
    return fstatSync(this.#fd).size;
  }

  get writtenAt(): number {
    return fstatSync(this.#fd).mtimeMs;
  }

  bytes(from: number, to: number, into?: Buffer): Buffer {
    const length = Math.max(0, to - from);
    const bytes = into ?? Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, from));
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export function isOf(run: LogRun, { instance, attempt, begunAt }: LogRun): boolean {
  return run.instance === instance && run.attempt === attempt && run.begunAt === begunAt;
}

function isSame(one: LogRun | null, other: LogRun | null): boolean {
  return one === null || other === null ? one === other : isOf(one, other);
}

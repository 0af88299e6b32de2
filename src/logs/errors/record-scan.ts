/**
 * Finds the records in blocks of a log that may be errors. Most blocks have none and cost no more than a search of their
 * bytes; only around what strikes are lines made, and each is given to its writer: what several instances write at a time
 * are several traces.
 */
import { RecordAssembler } from '../record/index.js';
import type { Block } from './block-reader.js';
import type { OpenRecord } from './change.js';
import { keyOf, piecesOf, type Piece, type Writer } from './piece.js';

/** Where the first thing strikes from there on; -1: nothing does. */
export type Strike = (lines: Buffer, from: number) => number;

/** What stands above a trace and belongs to it is no more: the place, the source, a caret, a blank line. */
const LEAD_LINES = 6;
const MAX_LINE_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface RecordScanSetup {
  readonly strike: Strike;
  /** Wall clock, for what the index has no time of. */
  readonly now: () => number;
  /** What others may read of a line. */
  readonly hide: (line: string) => string;
  readonly onRecord: (record: OpenRecord) => void;
}

export class RecordScan {
  readonly #strike: Strike;
  readonly #onRecord: (record: OpenRecord) => void;
  readonly #now: () => number;
  readonly #hide: (line: string) => string;
  readonly #writing = new Map<string, WritersRecord>();
  /** In this file all before it was given to writers, or passed over for good. */
  #done = { file: '', offset: 0 };

  constructor({ strike, now, hide, onRecord }: RecordScanSetup) {
    this.#strike = strike;
    this.#now = now;
    this.#hide = hide;
    this.#onRecord = onRecord;
  }

  /** Goes on with what another one left open. */
  restore(open: readonly OpenRecord[]): void {
    for (const { lines, ...begin } of open) {
      const writing = this.#write(begin);
      for (const line of lines) writing.push(line, true, begin);
    }
  }

  /** Those that may go on. */
  get open(): OpenRecord[] {
    return [...this.#writing.values()].flatMap((writing) => writing.open ?? []);
  }

  get isIdle(): boolean {
    return this.#writing.size === 0;
  }

  scan(block: Block): void {
    let strike = this.#strike(block.lines, 0);
    if (strike < 0 && this.isIdle) return;
    for (const piece of piecesOf(block, this.#now)) {
      if (strike >= 0 && strike < piece.from) strike = this.#strike(block.lines, piece.from);
      const isStruck = strike >= 0 && strike < piece.to;
      if (isStruck || this.#writing.has(keyOf(piece.writer))) this.#scanPiece(block, piece, strike);
    }
  }

  /** Ends what nobody has gone on with since. */
  endQuiet(since: number): void {
    for (const [key, writing] of this.#writing) {
      if (writing.fedAt > since) continue;
      this.#writing.delete(key);
      writing.end();
    }
  }

  /** Line by line from a little before a strike, until nothing strikes for a while. */
  #scanPiece(block: Block, { writer, at, from, to }: Piece, firstStrike: number): void {
    const { lines, file } = block;
    const key = keyOf(writer);
    let strike = firstStrike;
    let position = from;
    while (position < to) {
      if (strike >= 0 && strike < position) strike = this.#strike(lines, position);
      const next = strike >= 0 && strike < to ? strike : to;
      if (!this.#writing.get(key)?.isStruck) {
        const lead = back(lines, next, Math.max(position, this.#doneIn(block)));
        if (lead > position) this.#passOver(key);
        position = Math.max(position, lead);
        if (next === to && !this.#writing.has(key)) return;
      }
      const end = lines.indexOf(NEWLINE, position);
      const begin = { ...writer, at, file, offset: block.from + position };
      this.#write(begin).push(this.#hide(textOf(lines, position, end)), next <= end && next < to, begin);
      position = end + 1;
      this.#done = { file, offset: block.from + position };
    }
  }

  /** What it wrote last struck nobody. */
  #passOver(key: string): void {
    this.#writing.get(key)?.end();
    this.#writing.delete(key);
  }

  #doneIn({ file, from }: Block): number {
    return this.#done.file === file ? this.#done.offset - from : 0;
  }

  #write(writer: Writer): WritersRecord {
    const key = keyOf(writer);
    const writing = this.#writing.get(key) ?? new WritersRecord(this.#onRecord);
    this.#writing.set(key, writing);
    writing.fedAt = this.#now();
    return writing;
  }
}

type Begin = Omit<OpenRecord, 'lines'>;

/** What one writer is writing. */
class WritersRecord {
  readonly #onRecord: (record: OpenRecord) => void;
  readonly #assembler = new RecordAssembler();
  #begin: Begin | undefined;
  #lines: string[] = [];
  /** Something strikes in it as far as it goes. */
  isStruck = false;
  fedAt = 0;

  constructor(onRecord: (record: OpenRecord) => void) {
    this.#onRecord = onRecord;
  }

  get open(): OpenRecord | undefined {
    return this.isStruck && this.#begin ? { ...this.#begin, lines: this.#lines } : undefined;
  }

  /** `begin`: of the record, if this is its first line. */
  push(line: string, isStruck: boolean, begin: Begin): void {
    if (this.#assembler.push(line)) this.#tell();
    this.#begin ??= begin;
    this.#lines.push(line);
    this.isStruck ||= isStruck;
  }

  end(): void {
    this.#assembler.flush();
    this.#tell();
  }

  #tell(): void {
    const { open } = this;
    this.#begin = undefined;
    this.#lines = [];
    this.isStruck = false;
    if (open) this.#onRecord(open);
  }
}

/** Where the line begins that stands a lead above the one at a position, or `least`. */
function back(lines: Buffer, position: number, least: number): number {
  if (position <= least) return least;
  let at = position;
  for (let line = 0; line <= LEAD_LINES && at > least; line++) at = lines.lastIndexOf(NEWLINE, at - 1);
  return Math.max(at + 1, least);
}

function textOf(lines: Buffer, from: number, end: number): string {
  return lines.toString('utf8', from, Math.min(end, from + MAX_LINE_BYTES));
}

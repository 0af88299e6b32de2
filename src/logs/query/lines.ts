/** Reads whole lines of a file, each with who wrote it and when. */
import type { LogRun, Mark } from '../log-index.js';
import type { LogSegment } from '../log-segment.js';

export interface Line {
  readonly offset: number;
  /** Of the next one. */
  readonly end: number;
  /** When it was written, milliseconds since the epoch; null: the index does not say. */
  readonly at: number | null;
  readonly run: LogRun | null;
  /** The same for all lines of one attempt. */
  readonly writer: string;
  readonly text: string;
}

export type Encoding = 'utf8' | 'latin1';

const NEWLINE = 0x0a;
/** What is longer than this is cut; shims write no line that long. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** One for all: nothing in it is needed after a call. */
let shared = Buffer.alloc(0);

/** About so many bytes of them, at least one line; `to`: where the last one ends. */
export function readLines(
  segment: LogSegment,
  [from, to]: readonly [from: number, to: number],
  { bytes, encoding }: { readonly bytes: number; readonly encoding: Encoding },
): Line[] {
  const block = readBlock(segment, [from, to], bytes);
  const marks = marksBetween(segment, from, from + block.length);
  const lines: Line[] = [];
  let mark = Math.max(-1, lastUpTo(marks, from) - 1);
  let writer = '';
  for (let start = 0; start < block.length;) {
    const newline = block.indexOf(NEWLINE, start);
    const end = newline < 0 ? block.length : newline;
    const offset = from + start;
    const before = mark;
    while (mark + 1 < marks.length && marks[mark + 1]!.offset <= offset) mark++;
    if (mark !== before) writer = writerOf(marks[mark]!);
    const run = marks[mark] ?? null;
    start = newline < 0 ? block.length : newline + 1;
    const text = block.toString(encoding, offset - from, end);
    lines.push({ offset, end: from + start, at: run?.at ?? null, run, writer, text });
  }
  return lines;
}

/** From where the reading of a file that grows goes on: a line that has no end yet waits for it. */
export function readWholeLines(
  segment: LogSegment,
  options: { readonly bytes: number; readonly encoding: Encoding },
): Line[] {
  if (segment.size < segment.offset) {
    segment.offset = 0; // truncated by somebody
    known = undefined;
  }
  const { offset, size } = segment;
  if (offset === size) return [];
  const wanted = Math.min(size - offset, Math.max(options.bytes, MAX_LINE_BYTES));
  const whole = segment.bytes(offset, offset + wanted, buffer(wanted)).lastIndexOf(NEWLINE) + 1;
  return whole === 0 ? [] : readLines(segment, [offset, offset + whole], options);
}

/** Where the line begins that is so many before the one at an offset, but not below `floor`. */
export function linesBefore(segment: LogSegment, offset: number, count: number, floor: number): number {
  let at = offset;
  for (let missing = count; missing > 0 && at > floor; missing--) at = beginBefore(segment, at - 1, floor);
  return at;
}

/** Where the line begins that an offset lies in, or at. */
export function lineAt(segment: LogSegment, offset: number): number {
  return offset <= 0 ? 0 : beginBefore(segment, offset, 0);
}

/** Kept, because the lines before are asked for one after the other. */
let back: { segment: LogSegment; from: number; bytes: Buffer } | undefined;
const BACK_BYTES = 8 * 1024;

/** Where the line begins that ends at an offset or after it. */
function beginBefore(segment: LogSegment, offset: number, floor: number): number {
  for (let bytes = BACK_BYTES; ; bytes *= 8) {
    const from = Math.max(floor, offset - bytes);
    if (back?.segment !== segment || back.from > from || back.from + back.bytes.length < offset)
      back = { segment, from, bytes: segment.bytes(from, offset) };
    const newline = offset > back.from ? back.bytes.lastIndexOf(NEWLINE, offset - 1 - back.from) : -1;
    if (newline >= 0 && back.from + newline >= floor) return back.from + newline + 1;
    if (from === floor || bytes >= MAX_LINE_BYTES) return from;
    back = undefined;
  }
}

/** When the line at an offset was written; undefined: the index does not say. */
export function timeAt(segment: LogSegment, offset: number): number | undefined {
  const marks = marksBetween(segment, offset, offset + 1);
  return marks[lastUpTo(marks, offset)]?.at;
}

/** What the index says of a part of a file: places that are close to each other are asked for one after the other. */
let known: { segment: LogSegment; from: number; to: number; marks: readonly Mark[] } | undefined;
const MARKS_BYTES = 256 * 1024;
const MARKS_BEFORE_BYTES = 32 * 1024;

/** More than those that hold between two offsets of what is written already. */
function marksBetween(segment: LogSegment, from: number, to: number): readonly Mark[] {
  if (known?.segment !== segment || from < known.from || to > known.to) {
    const begin = Math.max(0, from - MARKS_BEFORE_BYTES);
    // Not beyond its end: what comes there has marks that are not written yet.
    const end = Math.max(to, Math.min(segment.size, from + MARKS_BYTES));
    known = { segment, from: begin, to: end, marks: segment.marks(begin, end) };
  }
  return known.marks;
}

/** Of marks in their order the one that holds at an offset; -1: none does. */
function lastUpTo(marks: readonly Mark[], offset: number): number {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]!.offset <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function readBlock(segment: LogSegment, [from, to]: readonly [number, number], bytes: number): Buffer {
  for (let size = bytes; ; size = MAX_LINE_BYTES) {
    const wanted = Math.max(0, Math.min(size, to - from));
    const block = segment.bytes(from, from + wanted, buffer(wanted));
    const whole = block.lastIndexOf(NEWLINE) + 1;
    if (from + block.length >= to || block.length < wanted) return block;
    if (whole > 0) return block.subarray(0, whole);
    if (size >= MAX_LINE_BYTES) return block;
  }
}

function buffer(bytes: number): Buffer {
  if (shared.length < bytes) shared = Buffer.allocUnsafeSlow(bytes);
  return shared.subarray(0, bytes);
}

function writerOf({ instance, attempt, begunAt }: Mark): string {
  return `${instance}.${attempt}.${begunAt}`;
}

/**
 * Reads one log forwards: its records that fit, in their order, and in between how far it has come, so that others need not
 * wait until something fits. Where little fits, only what is around it is taken apart into lines.
 */
import type { LogSegment } from '../log-segment.js';
import { lineAt, linesBefore, MAX_LINE_BYTES, readLines, timeAt, type Encoding, type Line } from './lines.js';
import { RecordQueue, recordStart, type LogRecord } from './record-queue.js';
import type { Filter } from './filter.js';
import type { LineSearch } from './line-search.js';
import { oldestFirst, type Log } from './past.js';
import { sweep } from './sweep.js';

/** Nothing earlier comes from this log any more. */
export interface Progress {
  readonly time: number;
  readonly lines?: undefined;
}
export type Step = LogRecord | Progress;

/** At first, then twice as much each time: what is asked for may begin at once, or be all. */
const FIRST_BYTES = 4 * 1024;
const MAX_BYTES = 64 * 1024;
/** That are looked through at a time. */
const FIRST_BLOCK_BYTES = 16 * 1024;
const MAX_BLOCK_BYTES = 512 * 1024;
const OTHERS_LINES = 32;
/** So often it is looked up how far the search has come in time. */
const TELL_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

export function* readLog(log: Log, filter: Filter): Generator<Step> {
  const queue = new RecordQueue();
  for (const { segment, size } of oldestFirst(log, filter.since)) {
    const range = rangeOf(segment, size, filter);
    if (range) yield* readRange(segment, range, filter, queue);
  }
  queue.flush();
  yield* taken(queue, filter);
}

/** Records of a part of a file, which begins with one. */
export function* readPart(
  segment: LogSegment,
  range: readonly [from: number, to: number],
  filter: Filter,
): Generator<Step> {
  const queue = new RecordQueue();
  yield* readRange(segment, range, filter, queue);
  queue.flush();
  yield* taken(queue, filter);
}

/** undefined: nothing of that time is in it. Where it is not known when lines were written, all are as old as the file. */
export function rangeOf(
  segment: LogSegment,
  size: number,
  { since, until }: Pick<Filter, 'since' | 'until'>,
): [from: number, to: number] | undefined {
  if (!segment.range) {
    const time = segment.writtenAt;
    return time >= (since ?? 0) && time < (until ?? Infinity) ? [0, size] : undefined;
  }
  const to = until === null ? size : Math.min(size, segment.offsetAt(until));
  const from = since === null ? 0 : segment.offsetAt(since);
  if (from >= to) return undefined;
  // Others may have been in the middle of a record then, too; what is too early is left out later.
  return [linesBefore(segment, recordStartAt(segment, from, 0), OTHERS_LINES, 0), to];
}

/** Of the record that the line at an offset belongs to. */
export function recordStartAt(segment: LogSegment, offset: number, floor: number): number {
  if (offset <= floor) return offset;
  return recordStart(floor, {
    before: (count) => linesBefore(segment, offset, count, floor),
    read: (from) => {
      const lines: Line[] = [];
      for (let at = from; at <= offset; at = lines.at(-1)!.end) {
        const more = readLines(segment, [at, segment.size], { bytes: FIRST_BYTES, encoding: 'utf8' });
        if (more.length === 0) break;
        lines.push(...more);
      }
      return lines.filter((line) => line.offset <= offset);
    },
  });
}

/** Aligned to a record. */
export function recordStartBefore(segment: LogSegment, offset: number): number {
  return recordStartAt(segment, lineAt(segment, offset), 0);
}

function* readRange(
  segment: LogSegment,
  [from, to]: readonly [from: number, to: number],
  filter: Filter,
  queue: RecordQueue,
): Generator<Step> {
  const { search, instance, encoding } = filter;
  const time = segment.writtenAt;
  let [told, reached] = [from, timeAt(segment, from) ?? time];
  if (queue.isEmpty) yield { time: reached };
  let [bytes, blockBytes] = [FIRST_BYTES, FIRST_BLOCK_BYTES];
  /** So much fits, or is to be told in any case, that lines are not looked through in advance. */
  let isDense = !search;
  let looked = from; // nothing before it is what is looked for
  for (let at = from; at < to;) {
    sweep();
    if (!isDense) {
      const { line, end } = findNext(segment, [at, to], search!, blockBytes);
      if (line === undefined) {
        blockBytes = Math.min(2 * blockBytes, MAX_BLOCK_BYTES);
        at = end;
        if (at - told >= TELL_BYTES) told = at;
        yield { time: told === at ? (reached = timeAt(segment, at) ?? time) : reached };
        continue;
      }
      looked = line;
      at = recordStartAt(segment, line, from);
      [bytes, blockBytes, isDense] = [FIRST_BYTES, FIRST_BLOCK_BYTES, true];
    }
    const lines = readLines(segment, [at, to], { bytes, encoding });
    if (lines.length === 0) return; // the file was truncated
    let isFound = false;
    for (const line of lines) {
      if (instance !== null && line.run?.instance !== instance) continue;
      const isHit = !search || (line.offset >= looked && search.matches(textOf(line, encoding)));
      isFound ||= isHit;
      queue.push(line, { isHit, time });
    }
    at = lines.at(-1)!.end;
    yield* taken(queue, filter);
    bytes = Math.min(2 * bytes, MAX_BYTES);
    if (search && !isFound && at > looked && !queue.hasOpenHit) {
      queue.clear();
      isDense = false;
    }
  }
}

function* taken(queue: RecordQueue, { since, until, search, fits }: Filter): Generator<LogRecord> {
  for (const record of queue.take()) {
    if (search && !record.isHit) continue;
    if (record.time < (since ?? -Infinity) || record.time >= (until ?? Infinity)) continue;
    if (fits(record)) yield record;
  }
}

let block = Buffer.alloc(0);

/** The line, or where the search goes on. */
function findNext(
  segment: LogSegment,
  [from, to]: readonly [number, number],
  search: LineSearch,
  bytes: number,
): { line?: number; end: number } {
  if (block.length === 0) block = Buffer.allocUnsafeSlow(MAX_LINE_BYTES);
  for (let size = bytes; ; size = MAX_LINE_BYTES) {
    const wanted = Math.min(size, to - from);
    const read = segment.bytes(from, from + wanted, block);
    const { length } = read;
    if (length === 0) return { end: to };
    const isLast = from + length >= to || length < wanted || size >= MAX_LINE_BYTES;
    const whole = read.lastIndexOf(NEWLINE) + 1;
    if (whole === 0 && !isLast) continue;
    const end = from + length >= to || whole === 0 ? length : whole;
    const place = search.find(read.subarray(0, end));
    return place < 0 ? { end: from + end } : { line: from + place, end: from + end };
  }
}

function textOf({ text }: Line, encoding: Encoding): string {
  return encoding === 'utf8' ? text : Buffer.from(text, 'latin1').toString('utf8');
}

/** What an attempt wrote last, for the report of its end. */
import type { LogFiles } from './log-files.js';
import type { LogRun } from './log-index.js';
import { LogSegment } from './log-segment.js';
import { splitLines } from './split-lines.js';

const MAX_BYTES = 4096;
const MAX_LINES = 20;

export interface Tail {
  readonly text: Buffer;
  /** When it wrote for the last time, to 50 ms; undefined: never. */
  readonly at: number | undefined;
}

/** Oldest first. */
export function lastWords(files: LogFiles, run: LogRun): string[] {
  return splitLines(readTail(files, run, MAX_BYTES).text).slice(-MAX_LINES);
}

export function readTail(files: LogFiles, run: LogRun, bytes: number): Tail {
  let text = Buffer.alloc(0);
  let at: number | undefined;
  const seen = new Set<string>();
  for (const number of files.numbers()) {
    const segment = LogSegment.open(files, number);
    if (!segment) continue;
    at ??= segment.lastAt(run);
    // Moved on since the one before was read, and so met again.
    if (!seen.has(segment.id)) text = Buffer.concat([segment.tail(run, bytes - text.length), text]);
    seen.add(segment.id);
    const isLast = text.length >= bytes || segment.isOlderThan(run);
    segment.close();
    if (isLast) break;
  }
  return { text, at };
}

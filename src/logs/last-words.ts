/** What an attempt wrote last, for the report of its end. */
import type { LogFiles } from './log-files.js';
import type { LogRun } from './log-index.js';
import { LogSegment } from './log-segment.js';
import { splitLines } from './split-lines.js';

const MAX_BYTES = 4096;
const MAX_LINES = 20;

/** Oldest first. */
export function lastWords(files: LogFiles, run: LogRun): string[] {
  let tail = Buffer.alloc(0);
  const seen = new Set<string>();
  for (const number of files.numbers()) {
    const segment = LogSegment.open(files, number);
    if (!segment) continue;
    // Moved on since the one before was read, and so met again.
    if (!seen.has(segment.id)) tail = Buffer.concat([segment.tail(run, MAX_BYTES - tail.length), tail]);
    seen.add(segment.id);
    const isLast = tail.length >= MAX_BYTES || segment.isOlderThan(run);
    segment.close();
    if (isLast) break;
  }
  return splitLines(tail).slice(-MAX_LINES);
}

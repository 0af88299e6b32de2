/**
 * Finds out from when on the last n records of several logs were written, reading each one backwards and only as far as it can
 * matter. Only times are kept, so that n may be large.
 */
import { LatestTimes } from './latest-times.js';
import { newestFirst, type Log } from './past.js';
import type { Filter } from './filter.js';
import { rangeOf, readPart, recordStartBefore } from './read-log.js';
import { timeAt } from './lines.js';

const FIRST_BYTES = 8 * 1024;
const MAX_BYTES = 8 * 1024 * 1024;

export interface Last {
  readonly since: number;
  /** Of the merged records from then on so many are too many: they have the same time. */
  readonly skip: number;
}

/** undefined: there are fewer than that. */
export function findLast(
  logs: readonly Log[],
  count: number,
  filterOf: (log: Log) => Filter,
  onProgress: () => void,
): Last | undefined {
  const latest = new LatestTimes(count);
  for (const log of logs) readBackwards(log, filterOf(log), latest, onProgress);
  return latest.isFull ? { since: latest.earliest, skip: latest.tied } : undefined;
}

function readBackwards(log: Log, filter: Filter, latest: LatestTimes, onProgress: () => void): void {
  for (const { segment, size } of newestFirst(log)) {
    const [begin, end] = rangeOf(segment, size, filter) ?? [0, 0];
    let bytes = FIRST_BYTES;
    for (let to = end; to > begin; bytes = Math.min(4 * bytes, MAX_BYTES)) {
      const from = Math.max(begin, recordStartBefore(segment, to - bytes));
      const times: number[] = [];
      for (const step of readPart(segment, [from, to], filter)) {
        if (step.lines) times.push(step.time);
        else onProgress();
      }
      for (const time of times.reverse()) latest.add(time);
      if (latest.isFull && (timeAt(segment, from) ?? segment.writtenAt) < latest.earliest) return;
      to = from;
    }
    if (filter.since !== null && segment.isOlderThan({ instance: 0, attempt: 0, begunAt: filter.since }))
      return;
  }
}

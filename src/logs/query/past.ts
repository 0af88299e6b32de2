/** What there is of one log at the moment of the question: its files, from the newest one, up to the last whole line. */
import { LogSegment } from '../log-segment.js';
import type { LogFiles } from '../log-files.js';

export interface Log {
  readonly service: string;
  readonly files: LogFiles;
  /** Of the current file, where the past ends; undefined: there was none. */
  readonly end: { readonly id: string; readonly offset: number } | undefined;
}

/** A file that is closed meanwhile and found again wherever it was moved. */
interface Place {
  readonly id: string;
  readonly number: number;
}

/** Calls `visit` for each file and closes it, until that answers true. */
export function* newestFirst(log: Log): Generator<{ segment: LogSegment; size: number; place: Place }> {
  const seen = new Set<string>();
  let isPast = log.end === undefined;
  for (const number of log.files.numbers()) {
    const segment = LogSegment.open(log.files, number);
    if (!segment) continue;
    const { id } = segment;
    try {
      isPast ||= id === log.end?.id || number > 0;
      // Moved on since the one before was read, and so met again.
      if (!isPast || seen.has(id)) continue;
      seen.add(id);
      yield { segment, size: id === log.end?.id ? log.end.offset : segment.size, place: { id, number } };
    } finally {
      segment.close();
    }
  }
}

/** Those that may have lines of this time or later, the oldest one first; each is closed when the next is asked for. */
export function* oldestFirst(
  log: Log,
  since: number | null,
): Generator<{ segment: LogSegment; size: number }> {
  const places: Place[] = [];
  for (const { segment, place } of newestFirst(log)) {
    places.unshift(place);
    if (since !== null && segment.isOlderThan({ instance: 0, attempt: 0, begunAt: since })) break;
  }
  for (const place of places) {
    const segment = openAgain(log.files, place);
    if (!segment) continue; // deleted meanwhile
    try {
      yield { segment, size: place.id === log.end?.id ? log.end.offset : segment.size };
    } finally {
      segment.close();
    }
  }
}

function openAgain(files: LogFiles, { id, number }: Place): LogSegment | undefined {
  for (const place of [number, ...files.numbers().filter((other) => other > number)]) {
    const segment = LogSegment.open(files, place);
    if (segment?.id === id) return segment;
    segment?.close();
  }
  return undefined;
}

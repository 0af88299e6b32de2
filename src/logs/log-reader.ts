/**
 * Reads one stream of a service on from a place, across rotations, with who wrote what. Shims never write to a file that
 * was moved aside (native/log.c): who has read such a file to its end goes on with the next one.
 */
import type { LogFiles } from './log-files.js';
import type { LogRun } from './log-index.js';
import { LogSegment, type LogPiece } from './log-segment.js';

export class LogReader {
  readonly #files: LogFiles;
  #segment: LogSegment | undefined;

  private constructor(files: LogFiles, segment: LogSegment | undefined) {
    this.#files = files;
    this.#segment = segment;
  }

  static atEnd(files: LogFiles): LogReader {
    const segment = LogSegment.open(files, 0);
    segment?.skipToEnd();
    return new LogReader(files, segment);
  }

  /** Of a log that has just appeared: all that there is. */
  static atOldest(files: LogFiles): LogReader {
    return new LogReader(files, LogSegment.open(files, files.numbers().at(-1) ?? 0));
  }

  /** Where the attempt wrote first; where it has not yet, from here on. */
  static atBegin(files: LogFiles, run: LogRun): LogReader {
    const reader = LogReader.atEnd(files);
    for (const number of files.numbers()) {
      const segment = LogSegment.open(files, number);
      const isLast = segment?.isOlderThan(run);
      const first = segment && [...segment.backwards(run)].at(-1);
      if (first) {
        segment.offset = first.from;
        reader.#moveTo(segment);
      } else segment?.close();
      if (isLast) break;
    }
    return reader;
  }

  /** Of the file that it reads; undefined: there is none yet. */
  get segment(): LogSegment | undefined {
    return this.#segment;
  }

  /** How far it is in its file. */
  get offset(): number {
    return this.#segment?.offset ?? 0;
  }

  /** Some of what has come since the last call; to be called again until there is nothing. */
  read(): readonly LogPiece[] {
    return this.readBy((segment) => segment.read());
  }

  /** The same for another way to read on in a file, which answers nothing where nothing has come. */
  readBy<T>(readOn: (segment: LogSegment) => readonly T[]): readonly T[] {
    for (;;) {
      // Asked before it is read: after it was moved aside nothing is added.
      const isCurrent = this.#segment?.place() === 0;
      const pieces = this.#segment ? readOn(this.#segment) : [];
      if (pieces.length > 0 || isCurrent || !this.#goOn()) return pieces;
    }
  }

  close(): void {
    this.#segment?.close();
    this.#segment = undefined;
  }

  /** To the file after the one that was read; false: there is none yet. */
  #goOn(): boolean {
    for (;;) {
      const place = this.#segment?.place();
      const next = place === undefined ? this.#afterDeleted() : place - 1;
      const segment = next < 0 ? undefined : LogSegment.open(this.#files, next);
      // If they were moved on meanwhile it may be another one.
      if (this.#segment?.place() === place) {
        if (segment) this.#moveTo(segment);
        return segment !== undefined;
      }
      segment?.close();
    }
  }

  /** The oldest that was written to after the one that is gone. */
  #afterDeleted(): number {
    const since = this.#segment?.writtenAt;
    if (since === undefined) return 0;
    return this.#files.numbers().findLast((number) => this.#files.writtenAt(number) >= since) ?? 0;
  }

  #moveTo(segment: LogSegment): void {
    this.close();
    this.#segment = segment;
  }
}

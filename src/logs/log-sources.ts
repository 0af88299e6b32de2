/** What a segment of a log is read from: a file and its index, or an archive that is both. */
import type { Mark } from './log-index.js';

export interface LogText {
  /** Of the file that was written, also where it was compressed since. */
  readonly inode: number;
  readonly size: number;
  /** Wall clock, milliseconds since the epoch. */
  readonly writtenAt: number;
  /** Fewer where it ends before. `into`: where they may be put, instead of a new buffer. */
  bytes(from: number, to: number, into?: Buffer): Buffer;
  close(): void;
}

/** In the order of the lines. */
export interface LogMarks {
  /** When the log was begun, in nanoseconds, and unlike that of any other in its folder; 0: of an older upkeep. */
  readonly birth: bigint;
  first(): Mark | undefined;
  /** Those that hold between two offsets: the first may stand before `from`. */
  marks(from: number, to: number): Mark[];
  /** From the last one. */
  backwards(): Generator<Mark>;
  /** The first in the order of the lines that is as late as this. */
  since(at: number): Mark | undefined;
  /** Earliest and latest time. */
  range(): { from: number; to: number } | undefined;
}

/** Who wrote what of a part of a log, and when. */
import type { LogFiles } from '../log-files.js';
import { LogSegment } from '../log-segment.js';
import { splitLines } from '../split-lines.js';
import type { Block } from './block-reader.js';
import type { OpenRecord } from './change.js';

/** As far as the index knows. */
export type Writer = Pick<OpenRecord, 'instance' | 'attempt' | 'begunAt'>;

export interface Piece {
  readonly writer: Writer;
  readonly at: number;
  /** In the block. */
  readonly from: number;
  readonly to: number;
}

const NOBODY: Writer = { instance: null, attempt: null, begunAt: null };
const CONTEXT_LINES = 5;
const CONTEXT_BYTES = 8192;

export function piecesOf({ segment, from, lines }: Omit<Block, 'file'>, now: () => number): Piece[] {
  const to = from + lines.length;
  const marks = segment.marks(from, to);
  if (marks.length === 0) return [{ writer: NOBODY, at: now(), from: 0, to: lines.length }];
  return marks.flatMap(({ at, offset, instance, attempt, begunAt }, index) => {
    const begin = Math.max(offset, from);
    const end = Math.min(marks[index + 1]?.offset ?? to, to);
    const writer = { instance, attempt, begunAt };
    return end > begin ? [{ writer, at, from: begin - from, to: end - from }] : [];
  });
}

export function keyOf({ instance, attempt, begunAt }: Writer): string {
  return `${instance}.${attempt}.${begunAt}`;
}

/** What the same writer wrote before a record, as far as it is in the same file. */
export function readBefore(files: LogFiles, record: OpenRecord): string[] {
  const segment = LogSegment.open(files, 0);
  if (!segment) return [];
  try {
    const from = Math.max(0, record.offset - CONTEXT_BYTES);
    if (segment.id !== record.file) return [];
    const lines = segment.bytes(from, record.offset);
    const own = piecesOf({ segment, from, lines }, () => 0)
      .filter(({ writer }) => keyOf(writer) === keyOf(record))
      .flatMap((piece) => splitLines(lines.subarray(piece.from, piece.to)));
    return own.slice(from > 0 ? 1 : 0).slice(-CONTEXT_LINES); // the first one may have been cut
  } finally {
    segment.close();
  }
}

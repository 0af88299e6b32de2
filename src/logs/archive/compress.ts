/** Makes an archive of a log that nobody writes to any more, member by member. */
import { gzipSync } from 'node:zlib';
import type { Mark } from '../log-index.js';
import type { LogSegment } from '../log-segment.js';
import { buildMember, MAX_MARKS_BYTES } from './format.js';
import { encodeMarks } from './marks.js';

const MEMBER_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export function* compress(segment: LogSegment): Generator<Buffer> {
  const { size } = segment;
  const [inode = '0', birth = '0'] = segment.id.split('.');
  for (let from = 0; from < size;) {
    const { lines, marks, encoded } = cut(segment, from, Math.min(size, from + MEMBER_BYTES));
    const times = marks.map(({ at }) => at);
    yield buildMember(
      gzipSync(lines),
      {
        lineBytes: lines.length,
        offset: from,
        earliest: times.reduce((least, at) => Math.min(least, at), times[0] ?? 0),
        latest: times.reduce((most, at) => Math.max(most, at), 0),
        inode: Number(inode),
        birth: BigInt(birth),
        totalBytes: size,
      },
      encoded,
    );
    from += lines.length;
  }
}

/** Whole lines where there are any, and not more than has room for its marks. */
function cut(
  segment: LogSegment,
  from: number,
  to: number,
): { lines: Buffer; marks: Mark[]; encoded: Buffer } {
  const block = segment.bytes(from, to);
  const whole = to < segment.size ? block.lastIndexOf(NEWLINE) + 1 : block.length;
  const lines = block.subarray(0, whole || block.length);
  const marks = segment
    .marks(from, from + lines.length)
    .map((mark) => ({ ...mark, offset: Math.max(from, mark.offset) }));
  const encoded = encodeMarks(marks, from);
  return encoded.length <= MAX_MARKS_BYTES
    ? { lines, marks, encoded }
    : cut(segment, from, from + Math.floor((to - from) / 2));
}

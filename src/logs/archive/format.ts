/**
 * How a rotated log is compressed: plain gzip, which zcat, zless and zgrep read, in members of about 1 MiB of raw lines.
 * A subfield "UK" of the header of each member (RFC 1952, FEXTRA) says how long the member is, so that a reader hops from
 * one to the next, and which marks of the index hold in it: an archive needs no index beside it.
 *
 *    0  u32  length of the member, from its first byte to its last
 *    4  u32  length of its lines
 *    8  u64  where they began in the log
 *   16  u64  the earliest and
 *   24  u64  the latest of its marks, milliseconds since the epoch; 0: it has none
 *   32  u64  inode, and
 *   40  u64  birth of the log, as the head of its index has them: with these a reader recognises what it has read
 *   48  u64  length of the whole log
 *   56       the marks (marks.ts)
 */
export interface MemberHead {
  readonly length: number;
  readonly lineBytes: number;
  readonly offset: number;
  readonly earliest: number;
  readonly latest: number;
  readonly inode: number;
  readonly birth: bigint;
  readonly totalBytes: number;
  /** Where the marks stand in the member, and how long they are. */
  readonly marksAt: number;
  readonly marksBytes: number;
}

const FIXED_BYTES = 56;
const GZIP_HEAD_BYTES = 10;
/** Before the subfield: XLEN, its two letters, its length. */
const EXTRA_AT = GZIP_HEAD_BYTES + 6;
export const HEAD_BYTES = EXTRA_AT + FIXED_BYTES;
/** XLEN has 16 bits. */
export const MAX_MARKS_BYTES = 0xffff - 4 - FIXED_BYTES;
const FIRST_BYTES = Buffer.from([0x1f, 0x8b, 8, 4]);
const SUBFIELD = Buffer.from('UK');
const MTIME_AT = 4;
const SYSTEM_AT = 9;
const UNIX = 3;

type Facts = Pick<
  MemberHead,
  'lineBytes' | 'offset' | 'earliest' | 'latest' | 'inode' | 'birth' | 'totalBytes'
>;

/** `gzip`: the lines as zlib compresses them to a file of one member, whose header has ten bytes. */
export function buildMember(gzip: Buffer, facts: Facts, marks: Buffer): Buffer {
  const member = Buffer.alloc(HEAD_BYTES + marks.length + gzip.length - GZIP_HEAD_BYTES);
  FIRST_BYTES.copy(member);
  member.writeUInt32LE(Math.floor(facts.latest / 1000) % 2 ** 32, MTIME_AT);
  member[SYSTEM_AT] = UNIX;
  member.writeUInt16LE(4 + FIXED_BYTES + marks.length, GZIP_HEAD_BYTES);
  SUBFIELD.copy(member, GZIP_HEAD_BYTES + 2);
  member.writeUInt16LE(FIXED_BYTES + marks.length, GZIP_HEAD_BYTES + 4);
  member.writeUInt32LE(member.length, EXTRA_AT);
  member.writeUInt32LE(facts.lineBytes, EXTRA_AT + 4);
  const numbers = [facts.offset, facts.earliest, facts.latest, facts.inode, facts.birth, facts.totalBytes];
  numbers.forEach((value, index) => member.writeBigUInt64LE(BigInt(value), EXTRA_AT + 8 + 8 * index));
  marks.copy(member, HEAD_BYTES);
  gzip.copy(member, HEAD_BYTES + marks.length, GZIP_HEAD_BYTES);
  return member;
}

/** undefined: not made by upkeep, or cut off. */
export function parseHead(bytes: Buffer): MemberHead | undefined {
  if (bytes.length < HEAD_BYTES || !bytes.subarray(0, FIRST_BYTES.length).equals(FIRST_BYTES))
    return undefined;
  if (!bytes.subarray(GZIP_HEAD_BYTES + 2, GZIP_HEAD_BYTES + 4).equals(SUBFIELD)) return undefined;
  const number = (index: number): bigint => bytes.readBigUInt64LE(EXTRA_AT + 8 + 8 * index);
  return {
    length: bytes.readUInt32LE(EXTRA_AT),
    lineBytes: bytes.readUInt32LE(EXTRA_AT + 4),
    offset: Number(number(0)),
    earliest: Number(number(1)),
    latest: Number(number(2)),
    inode: Number(number(3)),
    birth: number(4),
    totalBytes: Number(number(5)),
    marksAt: HEAD_BYTES,
    marksBytes: bytes.readUInt16LE(GZIP_HEAD_BYTES + 4) - FIXED_BYTES,
  };
}

/** Which format a file has, by its first bytes: its name may say anything. */
import { refuse } from './refusal.js';

export type ArchiveFormat = 'tar' | 'tar.gz' | 'zip';

/** As many as `detectFormat` looks at. */
export const HEAD_BYTES = 512;
const TAR_MAGIC_AT = 257;
const TAR_CHECKSUM_AT = 148;

const KNOWN: readonly (readonly [start: string, format: ArchiveFormat])[] = [
  ['1f8b', 'tar.gz'],
  ['504b0304', 'zip'],
  ['504b0506', 'zip'], // an empty one
];
/** And how to make it one that is taken. */
const OTHERS: readonly (readonly [start: string, name: string])[] = [
  ['28b52ffd', 'compressed by zstd: turn it into .tar.gz by zstd -dc <archive> | gzip'],
  ['fd377a585a00', 'compressed by xz: turn it into .tar.gz by xz -dc <archive> | gzip'],
  ['425a68', 'compressed by bzip2: turn it into .tar.gz by bzip2 -dc <archive> | gzip'],
  ['377abcaf271c', 'a 7z archive'],
  ['526172211a07', 'a RAR archive'],
];

export function detectFormat(head: Buffer): ArchiveFormat {
  const hex = head.toString('hex', 0, 8);
  const known = KNOWN.find(([start]) => hex.startsWith(start));
  if (known) return known[1];
  const other = OTHERS.find(([start]) => hex.startsWith(start));
  if (other) refuse('format', `is ${other[1]}`);
  if (head.length === 0) refuse('truncated', 'is empty');
  if (head.toString('latin1', TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar') return 'tar';
  // A tar of before 1988, or one that is damaged; reading it tells.
  if (/^[ 0-7]{6}[\0 ]{2}$/.test(head.toString('latin1', TAR_CHECKSUM_AT, TAR_CHECKSUM_AT + 8))) return 'tar';
  if (head.length === HEAD_BYTES && head.every((byte) => byte === 0)) return 'tar'; // an empty one
  return refuse('format', 'is neither a tar nor a zip');
}

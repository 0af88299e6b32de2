/**
 * Whether the records of a zip fill it without a gap and without overlap. Readers differ in whom they believe, the headers or
 * the directory, so bytes that only one of them sees are how an archive shows a scanner one thing and gives another.
 */
import { readSync } from 'node:fs';
import type { ZipRecord, ZipRecords } from './records.js';
import { refuse } from '../refusal.js';

const END_BYTES = 22;
/** The end record of zip64 and its locator. */
const END64_BYTES = 56 + 20;
const END64_SIGNATURE = 0x06064b50;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
/** Sizes after the content: of 4 or 8 bytes each, with or without a signature. */
const DESCRIPTOR_BYTES = [12, 16, 20, 24];

export function judgeLayout(fd: number, fileBytes: number, zip: ZipRecords): void {
  const sorted = zip.records.toSorted(
    (one, other) => one.central.relativeOffsetOfLocalHeader - other.central.relativeOffsetOfLocalHeader,
  );
  let end = 0;
  let before: ZipRecord | undefined;
  for (const record of sorted) {
    judgeGap(fd, before, end, record.central.relativeOffsetOfLocalHeader, record);
    end = record.local.fileDataStart + record.central.compressedSize;
    before = record;
  }
  judgeGap(fd, before, end, zip.centralStart, before);
  judgeEnd(fd, fileBytes, zip);
}

function judgeGap(
  fd: number,
  before: ZipRecord | undefined,
  end: number,
  next: number,
  blamed: ZipRecord | undefined,
): void {
  if (next < end) refuse('overlap', 'shares bytes with another part of the archive', blamed?.shownName);
  const gapBytes = next - end;
  if (before && hasDescriptor(before)) return judgeDescriptor(fd, before, end, gapBytes);
  if (gapBytes > 0)
    refuse(
      'hidden-bytes',
      `has ${gapBytes} bytes before or after it that belong to nothing`,
      blamed?.shownName,
    );
}

export function hasDescriptor({ central }: ZipRecord): boolean {
  return (central.generalPurposeBitFlag & 0x8) !== 0;
}

function judgeDescriptor(fd: number, { central, shownName }: ZipRecord, start: number, length: number): void {
  if (!DESCRIPTOR_BYTES.includes(length)) {
    refuse('hidden-bytes', `has ${length} bytes after it, and they are no sizes`, shownName);
  }
  const bytes = read(fd, start, length);
  const isSigned = length === 16 || length === 24;
  const isLong = length >= 20;
  const at = isSigned ? 4 : 0;
  const size = (where: number): number =>
    isLong ? Number(bytes.readBigUInt64LE(where)) : bytes.readUInt32LE(where);
  const isSame =
    (!isSigned || bytes.readUInt32LE(0) === DESCRIPTOR_SIGNATURE) &&
    bytes.readUInt32LE(at) === central.crc32 &&
    size(at + 4) === central.compressedSize &&
    size(at + (isLong ? 12 : 8)) === central.uncompressedSize;
  if (!isSame) refuse('headers-differ', 'has other sizes after its content than in the directory', shownName);
}

function judgeEnd(fd: number, fileBytes: number, zip: ZipRecords): void {
  const endAt = fileBytes - zip.commentBytes - END_BYTES;
  const between = endAt - zip.centralEnd;
  const is64 = between === END64_BYTES && read(fd, zip.centralEnd, 4).readUInt32LE(0) === END64_SIGNATURE;
  if (between !== 0 && !is64) {
    const last = zip.records.at(-1)?.shownName;
    refuse('hidden-bytes', 'is the last in the directory, which does not end where the archive says', last);
  }
  const end = read(fd, endAt, END_BYTES);
  const said = [end.readUInt16LE(8), end.readUInt16LE(10), end.readUInt32LE(16)];
  const found = [zip.records.length, zip.records.length, zip.centralStart];
  const unsaid = [0xffff, 0xffff, 0xffffffff];
  const isSame = said.every((value, each) => value === found[each] || (is64 && value === unsaid[each]));
  if (!isSame) refuse('headers-differ', 'has two counts of its entries, or two places for its directory');
}

function read(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, position);
  return bytes;
}

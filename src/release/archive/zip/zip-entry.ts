/** What a record of a zip says of its entry; refused where its two headers say different things. */
import type { ArchiveEntry } from '../entry.js';
import { refusal, type Refusal } from '../refusal.js';
import { decodeUtf8 } from '../text.js';
import { hasDescriptor } from './layout.js';
import type { ZipRecord } from './records.js';

export const STORED = 0;
export const DEFLATED = 8;
const ENCRYPTED = 0x1;
const PATCHED = 0x20;
const MASKED = 0x2000;

const ZIP64_FIELD = 0x0001;
const UNICODE_PATH_FIELD = 0x7075;
const UNSAID = 0xffffffff;
const DOS_FOLDER = 0x10;

const KINDS: Readonly<Record<number, ArchiveEntry['kind']>> = {
  0o010000: 'fifo',
  0o020000: 'device',
  0o040000: 'folder',
  0o060000: 'device',
  0o100000: 'file',
  0o120000: 'symlink',
  0o140000: 'socket',
};

/** Without the target of a symlink, which is its content. */
export function readZipEntry(record: ZipRecord): ArchiveEntry | Refusal {
  const { central } = record;
  const found = judgeFlags(record) ?? judgeHeaders(record) ?? judgeName(record);
  if (found) return found;
  const name = record.shownName;
  const unixMode = central.externalFileAttributes >>> 16;
  const isNamedFolder = name.endsWith('/');
  const type = unixMode & 0o170000;
  const kind = type === 0 ? (isNamedFolder ? 'folder' : 'file') : KINDS[type];
  if (!kind) return refusal('unknown-type', `is of type 0${type.toString(8)}, which is not known`);
  const isDosFolder = (central.externalFileAttributes & DOS_FOLDER) !== 0;
  if (isNamedFolder !== (kind === 'folder') || (isDosFolder && kind !== 'folder')) {
    return refusal('headers-differ', 'is a folder by its name or its attributes, but not by both');
  }
  if (kind === 'folder' && central.uncompressedSize > 0) return refusal('size', 'is a folder with content');
  return {
    name,
    kind,
    mode: type === 0 && unixMode === 0 ? 0o644 : unixMode & 0o7777,
    sizeBytes: kind === 'file' ? central.uncompressedSize : 0,
    modifiedAt: central.getLastModDate({ timezone: 'UTC' }).getTime() / 1000,
  };
}

function judgeFlags({ central, local }: ZipRecord): Refusal | undefined {
  const flags = central.generalPurposeBitFlag | local.generalPurposeBitFlag;
  if (flags & (ENCRYPTED | MASKED)) return refusal('encrypted', 'is encrypted');
  if (flags & PATCHED) return refusal('compression', 'is a patch and no content');
  const { compressionMethod } = central;
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    return refusal('compression', `is compressed by method ${compressionMethod}`);
  }
  if (compressionMethod === STORED && central.compressedSize !== central.uncompressedSize) {
    return refusal('size', 'is not compressed, and has two different sizes');
  }
  return undefined;
}

function judgeHeaders(record: ZipRecord): Refusal | undefined {
  const { central, local } = record;
  const differs = (what: string): Refusal =>
    refusal('headers-differ', `has another ${what} in its own header than in the directory`);
  if (!local.fileName.equals(central.fileNameRaw)) return differs('name');
  if (local.compressionMethod !== central.compressionMethod) return differs('method');
  if (local.generalPurposeBitFlag !== central.generalPurposeBitFlag) return differs('set of flags');
  const own = ownSizes(record);
  if (!own) return refusal('malformed', 'has a header of zip64 that cannot be read');
  const isLater = hasDescriptor(record);
  const agrees = (one: number, other: number): boolean => one === other || (isLater && one === 0);
  if (!agrees(local.crc32, central.crc32)) return differs('checksum');
  if (!agrees(own.compressed, central.compressedSize)) return differs('size');
  if (!agrees(own.uncompressed, central.uncompressedSize)) return differs('size');
  return undefined;
}

/** Sizes in its own header; in zip64 they stand in an extra field. */
function ownSizes({ local }: ZipRecord): { compressed: number; uncompressed: number } | undefined {
  const { compressedSize: compressed, uncompressedSize: uncompressed } = local;
  if (compressed !== UNSAID && uncompressed !== UNSAID) return { compressed, uncompressed };
  const field = findField(local.extraField, ZIP64_FIELD);
  if (!field || field.length < 16) return undefined;
  return {
    uncompressed: uncompressed === UNSAID ? Number(field.readBigUInt64LE(0)) : uncompressed,
    compressed: compressed === UNSAID ? Number(field.readBigUInt64LE(8)) : compressed,
  };
}

/** UTF-8, whether it says so or not: zip says nothing in a locale without it. Slashes are the same in every encoding. */
function judgeName({ central, local }: ZipRecord): Refusal | undefined {
  const { fileNameRaw } = central;
  if (decodeUtf8(fileNameRaw) === undefined) return refusal('encoding', 'has a name that is not UTF-8');
  const others = [central.extraFieldRaw, local.extraField].flatMap(
    (extra) => findField(extra, UNICODE_PATH_FIELD) ?? [],
  );
  // Version, checksum of the name that it replaces, name.
  if (others.some((field) => field.length < 5 || !field.subarray(5).equals(fileNameRaw))) {
    return refusal('headers-differ', 'has two names');
  }
  return undefined;
}

function findField(extra: Buffer, id: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  return undefined;
}

/** The members of a tar, strictly: every block is accounted for, up to the zeros at its end. */
import type { ArchiveEntry, ArchiveMember } from '../entry.js';
import type { ByteSource } from '../byte-source.js';
import { refuse, Refused } from '../refusal.js';
import { decodeUtf8 } from '../text.js';
import { BLOCK_BYTES, isZero, readHeader, type TarHeader } from './header.js';
import { readPax, type PaxRecords } from './pax.js';

/** Names and extended headers are kept in memory. */
const MAX_META_BYTES = 64 * 1024;

const KINDS: Readonly<Record<string, ArchiveEntry['kind']>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'folder',
  '6': 'fifo',
};

/** What stands before an entry and is said of it. */
interface Preface {
  pax?: PaxRecords;
  longName?: string;
  longLink?: string;
}

export async function* readTar(source: ByteSource): AsyncGenerator<ArchiveMember> {
  let preface: Preface = {};
  let last: string | undefined;
  for (;;) {
    const block = await source.read(BLOCK_BYTES);
    if (block.length < BLOCK_BYTES)
      refuse('truncated', 'is the last of an archive that ends too early', last);
    if (isZero(block)) {
      if (Object.keys(preface).length > 0)
        refuse('extended-header', 'is followed by a header of no entry', last);
      return expectEnd(source, last);
    }
    const found = readHeader(block);
    if ('refusal' in found) throw new Refused(found.refusal, found.name);
    const { header } = found;
    if ('xgLK'.includes(header.type)) {
      addTo(preface, header, await readMeta(source, header));
      continue;
    }
    const entry = toEntry(header, preface);
    preface = {};
    last = entry.name;
    yield { entry, content: contentOf(source, entry) };
    await skipPadding(source, entry.sizeBytes, entry.name);
  }
}

/** Another block of zeros, and nothing but zeros after it. */
async function expectEnd(source: ByteSource, last: string | undefined): Promise<void> {
  const second = await source.read(BLOCK_BYTES);
  if (second.length < BLOCK_BYTES)
    refuse('truncated', 'is the last of an archive without its whole end mark', last);
  let isEmpty = isZero(second);
  for await (const chunk of source.take(Infinity)) isEmpty &&= isZero(chunk);
  if (!isEmpty) refuse('trailing-bytes', 'is the last entry, and bytes follow the end of the archive', last);
}

async function readMeta(source: ByteSource, { name, sizeBytes }: TarHeader): Promise<Buffer> {
  if (sizeBytes > MAX_META_BYTES) {
    refuse(
      'extended-header',
      `has an extended header of ${sizeBytes} bytes, and ${MAX_META_BYTES} are allowed`,
      name,
    );
  }
  const bytes = await source.read(sizeBytes);
  if (bytes.length < sizeBytes) refuse('truncated', 'ends too early', name);
  await skipPadding(source, sizeBytes, name);
  return bytes;
}

function addTo(preface: Preface, { type, name }: TarHeader, bytes: Buffer): void {
  if (type === 'x' || type === 'g') {
    const found = readPax(bytes, type === 'g');
    if ('refusal' in found) throw new Refused(found.refusal, name);
    if (type === 'g') return;
    if (preface.pax) refuse('extended-header', 'has two extended headers', name);
    preface.pax = found.records;
    return;
  }
  const key = type === 'L' ? 'longName' : 'longLink';
  const end = bytes.indexOf(0);
  if (end !== -1 && !isZero(bytes.subarray(end)))
    refuse('control-character', 'has NUL within its long name', name);
  const text = decodeUtf8(end === -1 ? bytes : bytes.subarray(0, end));
  if (text === undefined) refuse('encoding', 'has a long name that is not UTF-8', name);
  if (preface[key] !== undefined) refuse('extended-header', 'has two long names', name);
  preface[key] = text;
}

function toEntry(header: TarHeader, { pax = {}, longName, longLink }: Preface): ArchiveEntry {
  const name = pax.path ?? longName ?? header.name;
  const kind = KINDS[header.type];
  if (header.type === 'S') refuse('sparse', 'is a sparse file', name);
  if (!kind) refuse('unknown-type', `is of type ${JSON.stringify(header.type)}, which is not known`, name);
  const saysTwice =
    (pax.path !== undefined && longName !== undefined) ||
    (pax.linkpath !== undefined && longLink !== undefined);
  if (saysTwice) refuse('extended-header', 'has its name in two kinds of extended header', name);
  if (pax.size !== undefined && pax.size !== String(header.sizeBytes)) {
    refuse(
      'headers-differ',
      `has ${header.sizeBytes} bytes by its header, ${pax.size} by its extended header`,
      name,
    );
  }
  if (kind !== 'file' && header.sizeBytes > 0) refuse('size', `is a ${kind} with content`, name);
  const isLink = kind === 'symlink' || kind === 'hardlink';
  if (!isLink && (pax.linkpath ?? longLink) !== undefined)
    refuse('extended-header', 'has a target, and is no link', name);
  return {
    name,
    kind,
    mode: header.mode,
    sizeBytes: header.sizeBytes,
    ...(isLink && { target: pax.linkpath ?? longLink ?? header.linkName }),
    modifiedAt: pax.mtime === undefined ? header.modifiedAt : Number(pax.mtime),
  };
}

async function* contentOf(source: ByteSource, { name, sizeBytes }: ArchiveEntry): AsyncGenerator<Buffer> {
  let missing = sizeBytes;
  for await (const chunk of source.take(sizeBytes)) {
    missing -= chunk.length;
    yield chunk;
  }
  if (missing > 0) refuse('truncated', `ends ${missing} bytes too early`, name);
}

async function skipPadding(source: ByteSource, sizeBytes: number, name: string): Promise<void> {
  const missing = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
  const padding = await source.read(missing);
  if (padding.length < missing) refuse('truncated', 'ends within its last block', name);
}

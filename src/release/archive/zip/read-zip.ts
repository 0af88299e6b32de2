/** The members of a zip, strictly, in the order of its directory. */
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import type { Budget } from '../budget.js';
import type { ArchiveMember } from '../entry.js';
import type { ArchiveLimits } from '../limits.js';
import { readRange } from '../read-range.js';
import { refuse, Refused } from '../refusal.js';
import { decodeUtf8 } from '../text.js';
import { judgeZlibError } from '../zlib-error.js';
import { crc32 } from './crc32.js';
import { judgeLayout } from './layout.js';
import { readRecords, type ZipRecord } from './records.js';
import { readZipEntry, STORED } from './zip-entry.js';

export interface ZipFile {
  readonly file: FileHandle;
  readonly bytes: number;
}

export async function* readZip(
  { file, bytes }: ZipFile,
  limits: ArchiveLimits,
  budget: Budget,
): AsyncGenerator<ArchiveMember> {
  const zip = await readRecords(file.fd, limits.maxEntries);
  judgeLayout(file.fd, bytes, zip);
  for (const record of zip.records) {
    const entry = readZipEntry(record);
    if ('rule' in entry) throw new Refused(entry, record.shownName);
    const content = contentOf(file, record, budget);
    if (entry.kind === 'symlink')
      yield { entry: { ...entry, target: await readTarget(record, content, limits) }, content: none() };
    else yield { entry, content };
  }
}

async function readTarget(
  { central, shownName }: ZipRecord,
  content: AsyncIterable<Buffer>,
  { maxPathBytes }: ArchiveLimits,
): Promise<string> {
  if (central.uncompressedSize > maxPathBytes) {
    refuse('link-target', `is a link with a target of more than ${maxPathBytes} bytes`, shownName);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  const target = decodeUtf8(Buffer.concat(chunks));
  return target ?? refuse('encoding', 'is a link with a target that is not UTF-8', shownName);
}

/** Checked against the directory: sizes, checksum, and that nothing is left over. */
async function* contentOf(file: FileHandle, record: ZipRecord, budget: Budget): AsyncGenerator<Buffer> {
  const { central, shownName } = record;
  const announced = central.uncompressedSize;
  let bytes = 0;
  let sum = 0;
  for await (const chunk of unpacked(file, record)) {
    bytes += chunk.length;
    if (bytes > announced)
      refuse('size', `has more than the ${announced} bytes that it announces`, shownName);
    const found = budget.addUnpacked(chunk.length);
    if (found) throw new Refused(found, shownName);
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (bytes < announced)
    refuse('size', `has ${bytes} of the ${announced} bytes that it announces`, shownName);
  if (sum !== central.crc32)
    refuse('checksum', 'has a content of another checksum than it announces', shownName);
}

async function* unpacked(file: FileHandle, { central, local, shownName }: ZipRecord): AsyncGenerator<Buffer> {
  const { compressedSize } = central;
  const start = local.fileDataStart;
  const bytes = readRange(file, start, start + compressedSize);
  if (central.compressionMethod === STORED) return yield* bytes;
  const inflate = createInflateRaw();
  pipeline(bytes, inflate, () => undefined); // who reads is told of an error
  try {
    yield* inflate as AsyncIterable<Buffer>;
  } catch (error) {
    const found = judgeZlibError(error);
    throw found ? new Refused(found, shownName) : error;
  }
  if (inflate.bytesWritten !== compressedSize) {
    refuse('hidden-bytes', 'has bytes after its compressed content', shownName);
  }
}

async function* none(): AsyncGenerator<Buffer> {
  // nothing
}

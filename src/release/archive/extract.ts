/**
 * One extraction, in the process that does nothing else: the archive is judged entry by entry while it is unpacked into a staging
 * folder, which becomes the wanted one only when all of it was good.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UpkeepError } from '../../protocol/index.js';
import { Budget } from './budget.js';
import { ByteSource } from './byte-source.js';
import { fileMode, saneTime, type ArchiveMember } from './entry.js';
import { detectFormat, HEAD_BYTES, type ArchiveFormat } from './format.js';
import type { ArchiveLimits } from './limits.js';
import { partsOf } from './name.js';
import { readRange } from './read-range.js';
import { refuse, Refused, show, toError } from './refusal.js';
import { Staging } from './staging.js';
import { readTar } from './tar/read-tar.js';
import { ArchiveTree } from './tree.js';
import { readZip } from './zip/read-zip.js';
import { judgeZlibError } from './zlib-error.js';

export interface ExtractJob {
  readonly archive: string;
  /** Does not exist yet; its parent does. */
  readonly folder: string;
  /** An empty folder beside it. Gone at the end, whatever the end is. */
  readonly staging: string;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string | undefined;
  readonly limits: ArchiveLimits;
}

export interface Extracted {
  readonly format: ArchiveFormat;
  /** Of the archive. */
  readonly sha256: string;
  /** Files, folders and links that it names. */
  readonly entries: number;
  /** Of all files. */
  readonly bytes: number;
}

/** Which entry is at work, for errors that do not know. */
interface Progress {
  entry: string | undefined;
}

export async function extract(job: ExtractJob, signal: AbortSignal): Promise<Extracted> {
  const staging = new Staging(job.staging);
  const progress: Progress = { entry: undefined };
  let file: FileHandle | undefined;
  try {
    file = await open(job.archive, 'r');
    const done = await unpack(file, job, staging, progress, signal);
    await staging.publish(job.folder);
    return done;
  } catch (error) {
    staging.discard();
    throw explain(error, job, progress);
  } finally {
    await file?.close(); // once nobody reads any more
  }
}

async function unpack(
  file: FileHandle,
  { sha256, limits }: ExtractJob,
  staging: Staging,
  progress: Progress,
  signal: AbortSignal,
): Promise<Extracted> {
  const stat = await file.stat();
  if (!stat.isFile()) refuse('format', 'is no file');
  const hash = await hashOf(file, signal);
  if (sha256 !== undefined && sha256.toLowerCase() !== hash) {
    refuse('checksum', `has sha256 ${hash}, and not the ${sha256.toLowerCase()} that was expected`);
  }
  const head = Buffer.alloc(Math.min(HEAD_BYTES, stat.size));
  await file.read(head, 0, head.length, 0);
  const format = detectFormat(head);
  const budget = new Budget(limits, stat.size);
  const members =
    format === 'zip'
      ? readZip({ file, bytes: stat.size }, limits, budget)
      : readTar(new ByteSource(tarBytes(file, format, stat.size, budget)));
  await place(members, { tree: new ArchiveTree(limits), budget, staging, progress, signal });
  return { format, sha256: hash, entries: budget.entries, bytes: budget.contentBytes };
}

interface Site {
  readonly tree: ArchiveTree;
  readonly budget: Budget;
  readonly staging: Staging;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function place(members: AsyncIterable<ArchiveMember>, site: Site): Promise<void> {
  for await (const member of members) {
    site.signal.throwIfAborted();
    const { entry } = member;
    site.progress.entry = entry.name;
    const found = site.budget.addEntry(entry.sizeBytes) ?? site.tree.admit(entry);
    if (found) throw new Refused(found, entry.name);
    await placeOne(member, site);
  }
  const escape = site.tree.finish();
  if (escape) throw new Refused(escape.refusal, escape.name);
  for (const { parts, target } of site.tree.symlinks) site.staging.makeSymlink(parts, target);
}

async function placeOne({ entry, content }: ArchiveMember, { staging, budget, signal }: Site): Promise<void> {
  const parts = partsOf(entry.name);
  switch (entry.kind) {
    case 'folder':
      return staging.makeFolder(parts);
    case 'hardlink':
      return staging.makeHardLink(parts, partsOf(entry.target ?? ''));
    case 'file': {
      const attributes = { mode: fileMode(entry), modifiedAt: saneTime(entry.modifiedAt, Date.now() / 1000) };
      return staging.writeFile(parts, counted(content, budget, signal), attributes);
    }
    default:
      return; // symlinks come last, and the tree takes nothing else
  }
}

async function* counted(
  content: AsyncIterable<Buffer>,
  budget: Budget,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    signal.throwIfAborted();
    const found = budget.addContent(chunk.length);
    if (found) throw new Refused(found);
    yield chunk;
  }
}

async function* tarBytes(
  file: FileHandle,
  format: ArchiveFormat,
  fileBytes: number,
  budget: Budget,
): AsyncGenerator<Buffer> {
  if (format === 'tar') return yield* readRange(file);
  const gunzip = createGunzip();
  pipeline(readRange(file), gunzip, () => undefined); // who reads is told of an error
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    const found = budget.addUnpacked(chunk.length);
    if (found) throw new Refused(found);
    yield chunk;
  }
  if (gunzip.bytesWritten !== fileBytes) {
    refuse('trailing-bytes', `has ${fileBytes - gunzip.bytesWritten} bytes after its end`);
  }
}

async function hashOf(file: FileHandle, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readRange(file)) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

function explain(error: unknown, { archive, folder }: ExtractJob, { entry }: Progress): unknown {
  if (error instanceof Refused) {
    return toError(archive, error.entry === undefined ? new Refused(error.refusal, entry) : error);
  }
  // About the archive as a whole: how far it was read when this was found is chance.
  const packed = judgeZlibError(error);
  if (packed) return toError(archive, new Refused(packed));
  if ((error as Error).name === 'AbortError') {
    return new UpkeepError('aborted', `Cannot extract "${archive}": it was given up`, { hint: 'ask again' });
  }
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  const at = entry === undefined ? '' : ` (at entry ${show(entry)})`;
  return new UpkeepError('extract-failed', `Cannot extract "${archive}" to "${folder}": ${message}${at}`, {
    hint: HINTS[code] ?? 'see that the archive can be read and the folder above can be written to',
    cause: error,
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'see that the archive and the folder above the new one are there',
  ENOSPC: 'make room on the disk; df -h and df -i show what is full',
  EDQUOT: 'make room within the quota of this user',
  EEXIST: 'the file system takes two of the names for the same; rename one of them',
  ENOTEMPTY: 'something has come to the place of the folder meanwhile; take it away',
};

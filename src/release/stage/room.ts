/** Whether there is room for a release, asked before anything is written: a full disk would take the services down that run. */
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  lstatSync,
} from 'node:fs';
import { join } from 'node:path';
import { UpkeepError } from '../../protocol/index.js';
import { readDisk } from '../../system/index.js';
import { formatBytes } from '../../util/index.js';
import { detectFormat, HEAD_BYTES, type ArchiveFormat } from '../archive/format.js';

/** The build, what is installed beside it, and what is kept of that for the next release. */
const TIMES = 3;

export interface Room {
  readonly neededBytes: number;
  readonly freeBytes: number;
  /** `/dev/vda1 (ext4, at /srv)`. */
  readonly fileSystem: string;
}

/** Throws `release-refused` with the figures where it is not enough. */
export function judgeRoom(id: string, folder: string, unpackedBytes: number): Room {
  const { freeBytes } = readDisk(folder);
  const room = { neededBytes: TIMES * unpackedBytes, freeBytes, fileSystem: fileSystemOf(folder) };
  if (room.neededBytes <= freeBytes) return room;
  const figures =
    `it needs ${formatBytes(room.neededBytes)}, ${TIMES} times the ${formatBytes(unpackedBytes)} of the build, ` +
    `and ${formatBytes(freeBytes)} are free on ${room.fileSystem}`;
  throw new UpkeepError('release-refused', `Cannot stage release ${id} in "${folder}": ${figures}`, {
    hint: `make room there, or keep fewer releases: du -sh ${folder}/* shows how large they are`,
  });
}

/** What an artifact becomes, from what it says itself: an estimate, which limits of the extraction stand behind. */
export function estimateBytes(artifact: string): number {
  if (lstatSync(artifact).isDirectory()) return sizeOf(artifact);
  const fd = openSync(artifact, 'r');
  try {
    const { size } = fstatSync(fd);
    const format = formatOf(readAt(fd, 0, Math.min(HEAD_BYTES, size)));
    if (format === 'zip') return sizeOfZip(fd, size);
    return format === 'tar.gz' ? Math.max(size, readAt(fd, Math.max(0, size - 4), 4).readUInt32LE()) : size;
  } finally {
    closeSync(fd);
  }
}

function formatOf(head: Buffer): ArchiveFormat | undefined {
  try {
    return detectFormat(head);
  } catch {
    return undefined; // the extraction tells what is wrong with it
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? sizeOf(path) : lstatSync(path).size);
  }, 0);
}

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const MAX_COMMENT = 0xffff;

/** By its directory; what is damaged there is found when it is unpacked. */
function sizeOfZip(fd: number, size: number): number {
  const tail = readAt(
    fd,
    Math.max(0, size - END_BYTES - MAX_COMMENT),
    Math.min(size, END_BYTES + MAX_COMMENT),
  );
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    const [bytes, start] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    return start + bytes <= size ? Math.max(size, sumEntries(readAt(fd, start, bytes))) : size;
  }
  return size;
}

function sumEntries(directory: Buffer): number {
  let sum = 0;
  for (let at = 0; at + ENTRY_BYTES <= directory.length && directory.readUInt32LE(at) === ENTRY_SIGNATURE;) {
    sum += directory.readUInt32LE(at + 24);
    const [name, extra, comment] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset));
    at += ENTRY_BYTES + name! + extra! + comment!;
  }
  return sum;
}

function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, position);
  return bytes;
}

/** The mount that a path lies on, with its device and type; the path itself where the system does not say. */
export function fileSystemOf(path: string): string {
  let best: { device: string; at: string; type: string } | undefined;
  try {
    const real = realpathSync(path);
    for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
      const [device = '', at = '', type = ''] = line.split(' ');
      const isAbove = at === '/' || real === at || real.startsWith(`${at}/`);
      if (at !== '' && isAbove && at.length >= (best?.at.length ?? 0)) best = { device, at, type };
    }
  } catch {
    // no /proc, or no such folder yet
  }
  return best ? `${best.device} (${best.type}, at ${best.at})` : `the file system of "${path}"`;
}

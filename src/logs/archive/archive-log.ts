/**
 * Compresses the files of a log that were moved aside, oldest first, and deletes what is too old. Whatever is changed in the
 * folder is changed by the shim, which has the lock for it (native/rotate.c); Node has no flock().
 *
 * It may end at any point: an archive takes the place of its file when it is whole and on disk, and what a former one left
 * unfinished is written over.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, futimesSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shimPath } from '../../system/index.js';
import { LogFiles } from '../log-files.js';
import { LogSegment } from '../log-segment.js';
import { compress } from './compress.js';

export interface ArchiveOptions {
  readonly compress: boolean;
  readonly maxAgeMs: number | null;
}

/** A file that was moved aside. */
export interface RotatedFile {
  readonly folder: string;
  /** Of its log: `out`, or `out-3`. */
  readonly name: string;
  readonly inode: number;
  readonly bytes: number;
  /** Wall clock, milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** `onProgress` is called again and again, and may throw. */
export function archiveLogs(folder: string, options: ArchiveOptions, onProgress: () => void): void {
  for (const files of LogFiles.in(folder)) {
    const unfinished = join(folder, `${files.name}.gz.new`);
    rmSync(unfinished, { force: true });
    deleteOld(folder, files, options.maxAgeMs);
    if (!options.compress) continue;
    for (const number of files.numbers().reverse())
      if (number > 0) compressFile(folder, files, number, unfinished, onProgress);
  }
}

export function rotatedFiles(folder: string, files: LogFiles): RotatedFile[] {
  return files.numbers().flatMap((number) => {
    if (number === 0) return [];
    const path = [files.path(number), files.archivePath(number)].find((each) => statOf(each));
    const stat = path === undefined ? undefined : statOf(path);
    if (!stat) return [];
    return [{ folder, name: files.name, inode: stat.ino, bytes: stat.size, writtenAt: stat.mtimeMs }];
  });
}

export function deleteFile({ folder, name, inode }: RotatedFile): void {
  execFileSync(shimPath(), ['archive', folder, name, String(inode)]);
}

function deleteOld(folder: string, files: LogFiles, maxAgeMs: number | null): void {
  if (maxAgeMs === null) return;
  const since = Date.now() - maxAgeMs;
  for (const file of rotatedFiles(folder, files)) if (file.writtenAt < since) deleteFile(file);
}

function compressFile(
  folder: string,
  files: LogFiles,
  number: number,
  unfinished: string,
  onProgress: () => void,
): void {
  const segment = LogSegment.open(files, number);
  try {
    if (!segment || segment.isArchived || segment.size === 0) return;
    writeArchive(segment, unfinished, onProgress);
    // Wherever it was moved meanwhile.
    execFileSync(shimPath(), ['archive', folder, files.name, String(segment.inode), unfinished]);
  } finally {
    segment?.close();
    rmSync(unfinished, { force: true });
  }
}

function writeArchive(segment: LogSegment, path: string, onProgress: () => void): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    for (const member of compress(segment)) {
      writeFileSync(fd, member);
      onProgress();
    }
    // It is as old as what is in it.
    futimesSync(fd, segment.writtenAt / 1000, segment.writtenAt / 1000);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

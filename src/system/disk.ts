/** How much room there is where a path lies, or where it will. */
import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export function readDisk(path: string): {
  totalBytes: number;
  freeBytes: number;
  totalInodes: number;
  freeInodes: number;
} {
  if (!statSync(path, { throwIfNoEntry: false })) return readDisk(dirname(path));
  const { bsize, blocks, bavail, files, ffree } = statfsSync(path);
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize, totalInodes: files, freeInodes: ffree };
}

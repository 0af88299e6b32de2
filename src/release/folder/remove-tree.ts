/** Takes a folder away whole, although nothing in a release may be written. */
import { chmodSync, lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { REMOVING_PREFIX } from './names.js';

const RETRIES = 5;

/** First out of the way by one rename, so that a kill leaves no half release, only something to be swept. */
export function removeTree(path: string): void {
  if (!lstatSync(path, { throwIfNoEntry: false })) return;
  const name = basename(path);
  const doomed = name.startsWith('.')
    ? path
    : join(dirname(path), `${REMOVING_PREFIX}${name}.${process.pid}.${Date.now()}`);
  if (doomed !== path) renameSync(path, doomed);
  makeWritable(doomed);
  rmSync(doomed, { recursive: true, force: true, maxRetries: RETRIES });
}

/** Folders only: for a file to go, its folder has to be writable. Never through a link. */
export function makeWritable(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return;
  if ((stat.mode & 0o700) !== 0o700) chmodSync(path, 0o755);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(path, entry.name));
  }
}

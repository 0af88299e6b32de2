/**
 * Copies what was installed into a release. Each file is the release's own: reflinks where the file system has them, else copies;
 * hard links would let whoever writes into one release change another that runs.
 */
import { constants, copyFileSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Copied {
  readonly files: number;
}

/** @param target does not exist */
export function copyTree(source: string, target: string, signal: AbortSignal): Copied {
  let files = 0;
  mkdirSync(target, { mode: 0o755 });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) {
      signal.throwIfAborted();
      files += copyTree(from, to, signal).files;
    } else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else if (entry.isFile()) {
      copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      files++;
    }
  }
  return { files };
}

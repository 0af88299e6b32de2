/**
 * What a folder holds, as one sha256: the same files give the same hash, whatever their times, owners and order on disk. Of modes only
 * counts whether a file can be executed.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface Content {
  readonly sha256: string;
  /** Of all files. */
  readonly bytes: number;
}

const EXECUTABLE = 0o111;

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

export async function hashFolder(root: string): Promise<Content> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const path of await pathsBelow(root)) {
    const file = await lstat(join(root, path));
    const kind = file.isDirectory() ? 'folder' : file.isSymbolicLink() ? 'link' : 'file';
    hash.update(`${kind}\0${path}\0`);
    if (kind === 'link') hash.update(`${await readlink(join(root, path))}\0`);
    if (kind !== 'file') continue;
    bytes += file.size;
    const mode = file.mode & EXECUTABLE ? 'x' : '-';
    hash.update(`${mode}\0${file.size}\0${await hashFile(join(root, path))}\0`);
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** In the order of their bytes, which is that of no language. */
async function pathsBelow(root: string): Promise<string[]> {
  const paths = await readdir(root, { recursive: true });
  return paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

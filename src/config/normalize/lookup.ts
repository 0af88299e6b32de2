/** What exists on disk: programs in PATH, files and folders. */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { mostSimilar } from '../../util/index.js';

export type FileKind = 'file' | 'folder' | 'missing';

export async function kindOf(path: string): Promise<FileKind> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats) return 'missing';
  return stats.isDirectory() ? 'folder' : 'file';
}

export async function isExecutable(path: string): Promise<boolean> {
  if ((await kindOf(path)) !== 'file') return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The program that a name or path means, as `execvp` would find it. */
export async function findProgram(name: string, path: string, folder: string): Promise<string | undefined> {
  const candidates = name.includes('/')
    ? [resolve(folder, name)]
    : path
        .split(delimiter)
        .filter(Boolean)
        .map((entry) => join(entry, name));
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate;
  return undefined;
}

/** A file in the same folder whose name is nearly the same. */
export async function findSimilarFile(path: string): Promise<string | undefined> {
  const entries = await readdir(dirname(path)).catch((): string[] => []);
  return mostSimilar(basename(path), entries);
}

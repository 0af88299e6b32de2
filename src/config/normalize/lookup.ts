/** What exists on disk: programs in PATH, files and folders. */
import { accessSync, constants, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { mostSimilar } from '../../util/index.js';

export type FileKind = 'file' | 'folder' | 'missing';

// Looked up synchronously: a trip through the thread pool costs ten times the look itself, and a configuration of three
// hundred services takes a thousand of them.

export async function kindOf(path: string): Promise<FileKind> {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return 'missing';
    return stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return 'missing'; // behind a folder that is not ours to enter, which is the same to us
  }
}

export async function isExecutable(path: string): Promise<boolean> {
  if ((await kindOf(path)) !== 'file') return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not for us
  }
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

/** A folder of the store becomes a release by the rules that archives are taken by: names, kinds, modes, links and limits. */
import {
  chmodSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { Budget } from '../archive/budget.js';
import { fileMode, type ArchiveEntry } from '../archive/entry.js';
import { DEFAULT_LIMITS, type ArchiveLimits } from '../archive/limits.js';
import { Refused, toError } from '../archive/refusal.js';
import { Staging } from '../archive/staging.js';
import { ArchiveTree } from '../archive/tree.js';

/** Where the kind of a file stands in its mode. */
const KINDS: Readonly<Record<number, ArchiveEntry['kind']>> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFDIR]: 'folder',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFIFO]: 'fifo',
  [constants.S_IFSOCK]: 'socket',
};
const NEW_COPY = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

/** @param target does not exist; what lies there after an error is for the caller to take away */
export function placeTree(
  source: string,
  target: string,
  signal: AbortSignal,
  limits: ArchiveLimits = DEFAULT_LIMITS,
): void {
  const tree = new ArchiveTree(limits);
  const budget = new Budget(limits, Number.MAX_SAFE_INTEGER); // nothing is packed
  mkdirSync(target, { mode: 0o755 });
  const staging = new Staging(target);
  try {
    for (const entry of walk(source, [])) {
      signal.throwIfAborted();
      const found =
        budget.addEntry(entry.sizeBytes) ?? budget.addContent(entry.sizeBytes) ?? tree.admit(entry);
      if (found) throw new Refused(found, entry.name);
      place(source, target, entry, staging);
    }
    const escape = tree.finish();
    if (escape) throw new Refused(escape.refusal, escape.name);
    for (const link of tree.symlinks) staging.makeSymlink(link.parts, link.target);
  } catch (error) {
    throw error instanceof Refused ? toError(source, error) : error;
  }
}

function place(source: string, target: string, entry: ArchiveEntry, staging: Staging): void {
  if (entry.kind === 'folder') return staging.makeFolder(entry.name.split('/'));
  if (entry.kind !== 'file') return; // links come last
  copyFileSync(join(source, entry.name), join(target, entry.name), NEW_COPY);
  chmodSync(join(target, entry.name), fileMode(entry));
}

/** Folders before what lies in them. */
function* walk(root: string, parts: readonly string[]): Generator<ArchiveEntry> {
  for (const name of readdirSync(join(root, ...parts)).toSorted()) {
    const own = [...parts, name];
    const path = join(root, ...own);
    const stat = lstatSync(path);
    yield toEntry(own.join('/'), path, stat);
    if (stat.isDirectory()) yield* walk(root, own);
  }
}

function toEntry(name: string, path: string, stat: Stats): ArchiveEntry {
  const kind = KINDS[stat.mode & constants.S_IFMT] ?? 'device';
  return {
    name,
    kind,
    mode: stat.mode & 0o7777,
    sizeBytes: kind === 'file' ? stat.size : 0,
    modifiedAt: stat.mtimeMs / 1000,
    ...(kind === 'symlink' && { target: readlinkSync(path) }),
  };
}

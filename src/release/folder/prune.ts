/** Which releases stay: what serves, what served well before it, as many more as are wanted, and what is still in use. */
import { lstatSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { namesIn, readCurrent, realFolder } from './current.js';
import { LOGS, releaseNumber } from './names.js';
import { findUsers, type UsersOptions } from './open-files.js';
import { removeTree } from './remove-tree.js';

export interface PruneOptions extends UsersOptions {
  /** How many stay beside the one that serves. */
  readonly keep: number;
  /** Folders that instances run from. */
  readonly running: readonly string[];
  /** Where a rollback goes; null: there is none. */
  readonly good: string | null;
}

export interface Pruned {
  /** Names. */
  readonly removed: readonly string[];
  /** Of releases that would have gone: who holds them, for a person. */
  readonly notes: readonly string[];
}

export async function pruneReleases(folder: string, options: PruneOptions): Promise<Pruned> {
  const root = realFolder(folder);
  const doomed = selectOld(root, options).map((name) => join(root, name));
  if (doomed.length === 0) return { removed: [], notes: [] };
  return removeUnused(doomed, options);
}

/** A release that has failed goes by itself, so that it takes no good one's place. Never what serves. */
export async function discardRelease(release: string, options: UsersOptions = {}): Promise<Pruned> {
  const real = realFolder(release);
  const isThere = lstatSync(real, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isThere || readCurrent(dirname(real)) === real) return { removed: [], notes: [] };
  return removeUnused([real], options);
}

async function removeUnused(releases: readonly string[], options: UsersOptions): Promise<Pruned> {
  const { users, unreadable } = await findUsers(releases, options);
  const removed: string[] = [];
  const notes: string[] = [];
  for (const release of releases) {
    const name = basename(release);
    const user = users.get(release);
    const hidden = unreadable.get(release);
    if (user !== undefined) notes.push(`Release "${name}" was kept: ${user} still uses it`);
    else if (hidden !== undefined)
      notes.push(`Release "${name}" was kept: ${hidden} may use it, and cannot be looked at by this user`);
    else {
      removeTree(release);
      removeLogs(dirname(release), name);
      removed.push(name);
    }
  }
  return { removed, notes };
}

/** Names, the oldest first. */
function selectOld(root: string, { keep, running, good }: PruneOptions): string[] {
  const current = readCurrent(root);
  const held = [current, good, ...running].flatMap((path) =>
    path === null ? [] : [basename(realFolder(path))],
  );
  const others = namesIn(root)
    .filter((name) => releaseNumber(name) !== undefined && lstatSync(join(root, name)).isDirectory())
    .filter((name) => name !== (current && basename(current)))
    .toSorted((one, other) => releaseNumber(one)! - releaseNumber(other)!);
  return others.slice(0, Math.max(0, others.length - keep)).filter((name) => !held.includes(name));
}

function removeLogs(root: string, release: string): void {
  for (const name of namesIn(join(root, LOGS))) {
    if (name.startsWith(`${release}.`)) rmSync(join(root, LOGS, name), { force: true });
  }
}

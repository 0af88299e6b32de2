/** What killed releases leave behind is taken away before the next one begins. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftovers } from '../command/leftovers.js';
import { namesIn, readCurrent, realFolder } from './current.js';
import {
  CURRENT_PREFIX,
  LOCK_PREFIX,
  LOGS,
  REMOVING_PREFIX,
  releaseNumber,
  STAGING_PREFIX,
} from './names.js';
import { findUsers } from './open-files.js';
import { readRecord } from './record.js';
import { removeTree } from './remove-tree.js';

const UNFINISHED = /^\..*\.extracting-\w+$/;
const PREFIXES = [STAGING_PREFIX, REMOVING_PREFIX, CURRENT_PREFIX, LOCK_PREFIX];
/** Of commands, in `.logs`. */
const MAX_LOGS = 60;

/**
 * Staging folders, releases that were never wholly installed, and commands that still work at them. Only for who holds the lock of
 * the group: nobody else stages there. Answers what was taken away.
 */
export async function sweepStaging(folder: string): Promise<string[]> {
  const root = realFolder(folder);
  const swept: string[] = [];
  for (const name of namesIn(root)) {
    if (!isStale(name) && !(await isHalf(folder, name))) continue;
    await endLeftovers(join(folder, name));
    removeTree(join(root, name));
    swept.push(name);
  }
  for (const name of namesIn(join(root, LOGS)).toSorted(byNumber).slice(0, -MAX_LOGS))
    rmSync(join(root, LOGS, name));
  return swept;
}

function isStale(name: string): boolean {
  return UNFINISHED.test(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Staged, but what it needs was not installed. Never what serves, whatever its record says. */
async function isHalf(folder: string, name: string): Promise<boolean> {
  if (releaseNumber(name) === undefined) return false;
  const release = join(realFolder(folder), name);
  if (readRecord(release)?.isReady !== false || readCurrent(realFolder(folder)) === release) return false;
  await endLeftovers(join(folder, name));
  const { users, unreadable } = await findUsers([release]);
  return !users.has(release) && !unreadable.has(release);
}

function byNumber(one: string, other: string): number {
  return (releaseNumber(one) ?? 0) - (releaseNumber(other) ?? 0);
}

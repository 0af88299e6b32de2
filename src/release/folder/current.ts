/** `current`: the release that serves, for people and for what a shell runs; instances never run from it. */
import { lstatSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UpkeepError } from '../../protocol/index.js';
import { syncPath } from '../../system/index.js';
import { CURRENT_PREFIX, currentIn } from './names.js';

/** Before and after it, also when the power goes, `current` is there and leads to a whole release. Can be done again. */
export async function makeCurrent(folder: string, release: string): Promise<void> {
  const path = currentIn(folder);
  judge(path, folder, release);
  const fresh = join(folder, `${CURRENT_PREFIX}${process.pid}`);
  rmSync(fresh, { force: true });
  symlinkSync(basename(release), fresh);
  renameSync(fresh, path);
  await syncPath(folder);
}

function judge(path: string, folder: string, release: string): void {
  const no = (fact: string, hint: string): never => {
    throw new UpkeepError('release-failed', `Cannot make "${release}" current: ${fact}`, { hint });
  };
  if (resolve(dirname(release)) !== resolve(folder))
    no(`it does not lie in "${folder}"`, 'name a release of this group');
  if (!lstatSync(release, { throwIfNoEntry: false })?.isDirectory())
    no('there is no such folder', 'release it again');
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there && !there.isSymbolicLink()) no(`"${path}" is no link`, 'move it away: upkeep puts a link there');
}

/** The folder that `current` leads to; null: nothing was released yet, or what it led to is gone. */
export function readCurrent(folder: string): string | null {
  const path = currentIn(folder);
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return null;
  const release = resolve(folder, readlinkSync(path));
  return lstatSync(release, { throwIfNoEntry: false })?.isDirectory() ? release : null;
}

/** Without the links on the way: as the kernel names it. */
export function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return resolve(folder); // not there yet
  }
}

/** Names in it; none where it is not there. */
export function namesIn(folder: string): string[] {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : [];
}

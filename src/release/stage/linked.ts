/** Files and folders that outlive releases: they lie in `shared`, and each release has a link in their place. */
import { lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { UpkeepError, type ReleaseSpec } from '../../protocol/index.js';
import { DEFAULT_LIMITS } from '../archive/limits.js';
import { judgeName, partsOf } from '../archive/name.js';
import { SHARED } from '../folder/names.js';

type Linked = Pick<ReleaseSpec, 'folder' | 'linked'>;

/** Before anything is unpacked: what is missing there is for people to put there. Creates folders. */
export function prepareShared({ folder, linked }: Linked): void {
  for (const path of [...linked.files, ...linked.folders]) judgePath(path);
  for (const path of linked.folders) makeShared(folder, path);
  for (const path of linked.files) {
    const shared = join(folder, SHARED, path);
    mkdirSync(dirname(shared), { recursive: true });
    const stat = statSync(shared, { throwIfNoEntry: false });
    if (stat?.isFile()) continue;
    const fact = stat ? `"${shared}" is no file` : `"${shared}" does not exist`;
    throw new UpkeepError('release-refused', `Cannot link "${path}" into the release: ${fact}`, {
      hint: `put the file there once; every release of this host then has it as ${path}`,
    });
  }
}

function makeShared(folder: string, path: string): void {
  const shared = join(folder, SHARED, path);
  try {
    mkdirSync(shared, { recursive: true });
  } catch (error) {
    throw new UpkeepError(
      'release-refused',
      `Cannot link "${path}" into the release: "${shared}" cannot be a folder: ${(error as Error).message}`,
      {
        hint: 'move away what is in its place',
        cause: error,
      },
    );
  }
}

/** Puts the links into a release that nobody runs yet; answers what they took the place of, for a person. */
export function placeLinks({ folder, linked }: Linked, release: string): string[] {
  return [...linked.files, ...linked.folders].flatMap((path) => {
    const place = join(release, path);
    makeWay(release, path);
    const replaced = takeAway(place);
    // Relative: it stays right when the folder of the group is moved. A release lies beside `shared`.
    symlinkSync(join(relative(dirname(place), release), '..', SHARED, path), place);
    return replaced === undefined
      ? []
      : [`${replaced} "${path}" of the build was replaced by the one in ${join(folder, SHARED)}`];
  });
}

/** Folders above it, and none of them a link: that would lead into another place. */
function makeWay(release: string, path: string): void {
  const parts = partsOf(path).slice(0, -1);
  parts.forEach((_, depth) => {
    const above = join(release, ...parts.slice(0, depth + 1));
    const stat = lstatSync(above, { throwIfNoEntry: false });
    if (!stat) return mkdirSync(above, { mode: 0o755 });
    if (stat.isDirectory()) return;
    const what = relative(release, above);
    throw new UpkeepError(
      'release-refused',
      `Cannot link "${path}" into the release: "${what}" is ${stat.isSymbolicLink() ? 'a link' : 'a file'} in it`,
      {
        hint: `link "${what}" as a whole, or take it out of the build`,
      },
    );
  });
}

function takeAway(place: string): string | undefined {
  const stat = lstatSync(place, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const isEmpty = stat.isDirectory() && readdirSync(place).length === 0;
  rmSync(place, { recursive: true });
  if (isEmpty) return undefined;
  return stat.isDirectory() ? 'The folder' : 'The file';
}

function judgePath(path: string): void {
  if (partsOf(path).length > 0 && !judgeName(path, DEFAULT_LIMITS)) return;
  throw new UpkeepError(
    'release-refused',
    `Cannot link "${path}" into the release: it is no path within it`,
    {
      hint: 'write it relative to the release, such as config/production.json',
    },
  );
}

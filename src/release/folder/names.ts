/** How the parts of a group's folder are named; what begins with a dot is work in progress, or nobody's release. */
import { join } from 'node:path';

const CURRENT = 'current';
export const SHARED = 'shared';
export const LOGS = '.logs';
export const LOCK = '.lock';
export const STAGING_PREFIX = '.staging-';
export const REMOVING_PREFIX = '.removing-';
export const CURRENT_PREFIX = '.current-';
/** On its way to its place, or away from it. */
export const LOCK_PREFIX = '.lock.';

/** The link to what serves; in a description it stands for the release that is made. `folder`: of the group. */
export function currentIn(folder: string): string {
  return join(folder, CURRENT);
}

const MAX_VERSION_CHARACTERS = 40;
const COMMIT_CHARACTERS = 7;

/** `12-2.4.1-4f9c2aa`: safe in a path and in a shell, whatever a build calls its version. */
export function releaseName(id: string, version: string | null, commit: string | null): string {
  const parts = [id, version?.slice(0, MAX_VERSION_CHARACTERS), commit?.slice(0, COMMIT_CHARACTERS)];
  return parts
    .map((part) => part?.replaceAll(/[^\w.+]+/g, '-').replaceAll(/^-+|-+$/g, ''))
    .filter(Boolean)
    .join('-');
}

/** The number that a release counts as; undefined: the name is no release's. */
export function releaseNumber(name: string): number | undefined {
  const match = /^(\d+)(?:-|$)/.exec(name);
  return match ? Number(match[1]) : undefined;
}

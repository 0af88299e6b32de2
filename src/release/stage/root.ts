/** Which folder of a build becomes the release. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UpkeepError } from '../../protocol/index.js';
import { DEFAULT_LIMITS } from '../archive/limits.js';
import { findEscape, type SymbolicLink } from '../archive/links.js';
import { judgeName, partsOf } from '../archive/name.js';

/** @param wanted within the build; null: its only top folder where there is just one, else all of it */
export function findRoot(build: string, wanted: string | null): string {
  const root = wanted === null ? onlyFolder(build) : namedFolder(build, wanted);
  if (root !== build) judgeLinks(build, root);
  return root;
}

function onlyFolder(build: string): string {
  const [only, ...more] = readdirSync(build);
  if (only === undefined || more.length > 0) return build;
  return lstatSync(join(build, only)).isDirectory() ? join(build, only) : build;
}

function namedFolder(build: string, wanted: string): string {
  const parts = partsOf(wanted.replaceAll(/\/+/g, '/'));
  if (parts.length > 0 && judgeName(parts.join('/'), DEFAULT_LIMITS))
    refuse(wanted, 'it is no path within the build', []);
  let path = build;
  for (const part of parts) {
    const folder = path;
    path = join(path, part);
    if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
      refuse(wanted, `the build has no folder "${part}" there`, readdirSync(folder));
  }
  return path;
}

/** What led to another part of the build would lead out of the release. */
function judgeLinks(build: string, root: string): void {
  const found = findEscape([...linksOf(root, [])]);
  if (!found) return;
  const name = found.link.parts.join('/');
  throw new UpkeepError(
    'release-refused',
    `Cannot take "${root.slice(build.length + 1)}" of the build: "${name}" ${found.refusal.fact}`,
    {
      hint: 'let the link lead to something within that folder, or set root to a folder that holds both',
    },
  );
}

function* linksOf(root: string, parts: readonly string[]): Generator<SymbolicLink> {
  for (const entry of readdirSync(join(root, ...parts), { withFileTypes: true })) {
    const own = [...parts, entry.name];
    if (entry.isDirectory()) yield* linksOf(root, own);
    else if (entry.isSymbolicLink()) yield { parts: own, target: readlinkSync(join(root, ...own)) };
  }
}

function refuse(wanted: string, fact: string, there: readonly string[]): never {
  const names = there.slice(0, 8).map((name) => JSON.stringify(name));
  throw new UpkeepError('release-refused', `Cannot find root "${wanted}" in the build: ${fact}`, {
    hint:
      names.length > 0
        ? `correct root; there are ${names.join(', ')}${there.length > 8 ? ', …' : ''}`
        : 'correct root in the configuration',
  });
}

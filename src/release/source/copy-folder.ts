/**
 * Copies a folder as a release may be: files and folders, links that stay within, modes of 0644 and 0755; `.git` stays behind. The
 * rules are those for archives, so that what works from a folder works from its archive, too.
 */
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findEscape, judgeTarget, type SymbolicLink } from '../archive/links.js';
import { DEFAULT_LIMITS } from '../archive/limits.js';
import type { Scene } from './scene.js';

const LEFT_BEHIND = new Set(['.git']);

export async function copyFolder(from: string, to: string, scene: Scene): Promise<void> {
  const links: SymbolicLink[] = [];
  await copyInto(from, to, [], links, scene);
  const escape = findEscape(links);
  if (escape) throw refused(scene, from, escape.link.parts, escape.refusal.fact);
  for (const { parts, target } of links) await symlink(target, join(to, ...parts));
}

async function copyInto(
  from: string,
  to: string,
  parts: readonly string[],
  links: SymbolicLink[],
  scene: Scene,
): Promise<void> {
  scene.signal.throwIfAborted();
  const here = join(from, ...parts);
  await mkdir(join(to, ...parts), { mode: 0o755 });
  for (const name of (await readdir(here).catch(unreadable(scene, here))).sort()) {
    if (LEFT_BEHIND.has(name)) continue;
    const path = join(here, name);
    const own = [...parts, name];
    const file = await lstat(path);
    if (file.isDirectory()) await copyInto(from, to, own, links, scene);
    else if (file.isSymbolicLink()) links.push(await linkAt(from, path, own, scene));
    else if (file.isFile()) await copyOne(path, join(to, ...own), (file.mode & 0o111) !== 0, scene);
    else throw refused(scene, from, own, 'is neither a file, a folder nor a link');
  }
}

async function copyOne(from: string, to: string, isExecutable: boolean, scene: Scene): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL).catch(
    unreadable(scene, from),
  );
  await chmod(to, isExecutable ? 0o755 : 0o644);
}

async function linkAt(
  root: string,
  path: string,
  parts: readonly string[],
  scene: Scene,
): Promise<SymbolicLink> {
  const target = await readlink(path);
  const refusal = judgeTarget(target, DEFAULT_LIMITS.maxPathBytes);
  if (refusal) throw refused(scene, root, parts, refusal.fact);
  return { parts, target };
}

function unreadable(scene: Scene, path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw scene.error(
      'source-failed',
      `"${path}" cannot be copied (${error.code})`,
      'see that it can be read, and that there is room for a copy',
    );
  };
}

function refused(scene: Scene, root: string, parts: readonly string[], fact: string): Error {
  return scene.error(
    'archive-refused',
    `"${join(...parts)}" in "${root}" ${fact}`,
    'take it out of the folder, or let the link lead to something within it',
  );
}

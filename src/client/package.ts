/** Finds the installed package, whether this file runs from src/ or from the bundle in dist/. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Package {
  readonly root: string;
  readonly version: string;
}

let found: Package | undefined;

export function ownPackage(): Package {
  return (found ??= findPackage(import.meta.dirname));
}

/** The static C program between a daemon and what it starts; see native/shim.c. */
export function shimPath(): string {
  return join(ownPackage().root, 'native', `${process.platform}-${process.arch}`, 'upkeep-shim');
}

function findPackage(folder: string): Package {
  const manifest = readManifest(join(folder, 'package.json'));
  if (manifest?.name === 'upkeep') return { root: folder, version: manifest.version };
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`Cannot find the package upkeep above "${import.meta.dirname}"`);
  return findPackage(parent);
}

function readManifest(path: string): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // no package.json here, the search goes on above
  }
}

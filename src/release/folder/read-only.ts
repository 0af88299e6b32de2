/**
 * A release is never written to again: what a running instance reads stays what it was. Linked files and folders are links, and
 * none is followed.
 */
import { chmodSync, copyFileSync, lstatSync, readdirSync, renameSync, type Stats } from 'node:fs';
import { join } from 'node:path';

const ANY_EXECUTE = 0o111;

export function makeReadOnly(path: string): void {
  const stat = lstatSync(path);
  if (stat.isFile()) return freezeFile(path, stat);
  if (!stat.isDirectory()) return;
  for (const name of readdirSync(path)) makeReadOnly(join(path, name));
  if ((stat.mode & 0o7777) !== 0o555) chmodSync(path, 0o555);
}

function freezeFile(path: string, { nlink, mode }: Stats): void {
  if (nlink > 1) makeOwn(path);
  const wanted = mode & ANY_EXECUTE ? 0o555 : 0o444;
  if (nlink > 1 || (mode & 0o7777) !== wanted) chmodSync(path, wanted);
}

/** Its content may be somebody else's, too: the store of a package manager, which would change with it. */
function makeOwn(path: string): void {
  const copy = `${path}.own-${process.pid}`;
  copyFileSync(path, copy);
  renameSync(copy, path);
}

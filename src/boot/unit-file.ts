/** The files of an installation: the unit, and the note in the home that there is one. */
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BootUnit } from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import type { Target } from './target.js';

/** undefined: there is none. */
export function readUnit({ path }: Pick<Target, 'path'>): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

export function writeUnit(target: Pick<Target, 'path'>, text: string): void {
  try {
    mkdirSync(dirname(target.path), { recursive: true });
    writeFileSync(`${target.path}.new`, text, { mode: 0o644 });
    renameSync(`${target.path}.new`, target.path);
  } catch (cause) {
    throw cannotWrite(target.path, cause as NodeJS.ErrnoException);
  }
}

/** Root does it for another user, who has to be able to write there afterwards. */
export function prepareHome({ home, account }: Target): void {
  const isNew = !existsSync(home.path);
  try {
    mkdirSync(home.path, { recursive: true, mode: 0o700 });
    if (isNew) giveTo(account, home.path);
    // systemd would create it as root.
    if (!existsSync(home.log)) writeOwned(account, home.log, '');
  } catch (cause) {
    throw cannotWrite(home.path, cause as NodeJS.ErrnoException);
  }
}

export function writeRecord({ home, account, scope, unit, path }: Target, hasEnabledLinger: boolean): void {
  const record: BootUnit = { scope, unit, path, hasEnabledLinger };
  writeOwned(account, home.bootUnit, `${JSON.stringify(record, null, 2)}\n`);
}

export function removeRecord({ home }: Target): void {
  rmSync(home.bootUnit, { force: true });
}

function writeOwned(account: Target['account'], path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  giveTo(account, path);
}

function giveTo({ uid, gid }: Target['account'], path: string): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

function cannotWrite(path: string, cause: NodeJS.ErrnoException): UpkeepError {
  return new UpkeepError('boot-failed', `Cannot write "${path}": ${cause.message}`, {
    hint: 'see who owns the folder, and whether its file system can be written; nothing was installed',
    cause,
  });
}

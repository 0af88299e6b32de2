/**
 * Which releases living processes still use: a release that is deleted under a process that has yet to load a file of it is an
 * outage an hour later.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { readArguments, readCommand, readProcess, readUid, startedAt } from '../../system/index.js';
import { maskCommand } from '../../util/index.js';

export interface FolderUsers {
  /** By folder: a process that has its working directory, its program, a mapped or an open file there. */
  readonly users: ReadonlyMap<string, string>;
  /** By folder: a process that may have, and cannot be asked. */
  readonly unreadable: ReadonlyMap<string, string>;
}

export interface UsersOptions {
  /** Of users that services of the group run as: such a process that cannot be read may be in any of the folders. @default none */
  readonly uids?: readonly number[];
}

/** @param folders absolute, without links on the way */
export async function findUsers(
  folders: readonly string[],
  { uids = [] }: UsersOptions = {},
): Promise<FolderUsers> {
  const users = new Map<string, string>();
  const unreadable = new Map<string, string>();
  const own = new Set([process.getuid?.(), ...uids]);
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    await turn(); // a machine has many, and others wait
    const paths = readPaths(pid);
    const arguments_ = readArguments(pid);
    if (!arguments_) continue; // it has ended, or is a thread of the kernel
    const mayBeAnywhere = paths === 'hidden' && own.has(readUid(pid));
    for (const folder of folders) {
      const isNamed = arguments_.some((word) => isWithin(folder, word));
      if (paths !== 'hidden') {
        if (isNamed || paths.some((path) => isWithin(folder, path))) users.set(folder, describe(pid));
      } else if (isNamed || (mayBeAnywhere && isYounger(pid, folder))) unreadable.set(folder, describe(pid));
    }
  }
  return { users, unreadable };
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** What was there before the release runs something else. */
function isYounger(pid: number, folder: string): boolean {
  const row = readProcess(pid);
  const madeAt = lstatSync(folder, { throwIfNoEntry: false })?.birthtimeMs ?? 0;
  return row !== undefined && startedAt(row) > madeAt;
}

function describe(pid: number): string {
  return `pid ${pid} (${maskCommand(readCommand(pid) ?? 'ended')})`;
}

/** `hidden`: it belongs to somebody else, or does not let itself be looked at. */
function readPaths(pid: number): string[] | 'hidden' {
  const found: string[] = [];
  try {
    for (const name of ['cwd', 'exe', 'root']) found.push(readlinkSync(`/proc/${pid}/${name}`));
    for (const match of readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/ (\/.*)$/gm))
      found.push(match[1]!);
    for (const fd of readdirSync(`/proc/${pid}/fd`)) found.push(readFd(pid, fd));
    return found;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'hidden' : found; // else it has ended, or is a thread of the kernel
  }
}

function readFd(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return ''; // it was closed meanwhile
  }
}

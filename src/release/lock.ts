/**
 * One release at a time in a folder, whoever makes it: another home of this machine, or a host that shares the disk. Within one
 * daemon the engine sees to it. The lock tells who has it and why, and is taken over only from somebody who is surely gone.
 */
import { randomUUID } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  statSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { UpkeepError } from '../protocol/index.js';
import { isAlive, readProcess } from '../system/index.js';
import { LOCK } from './folder/names.js';

const LockFile = v.object({
  /** Grows with each taking: whoever was thought dead sees that it is not his any more. */
  fence: v.number(),
  home: v.string(),
  host: v.string(),
  pid: v.number(),
  startTicks: v.number(),
  /** For a person. */
  owner: v.string(),
  reason: v.string(),
  since: v.string(),
});
export type LockFile = v.InferOutput<typeof LockFile>;

/** It comes to its place whole: what is less was torn by a power cut, which its owner has not outlived. */
type Found = LockFile | 'torn' | undefined;

export interface LockWish {
  readonly folder: string;
  readonly home: string;
  readonly owner: string;
  readonly reason: string;
  readonly now: Date;
}

export interface HeldLock {
  readonly fence: number;
  /** What was found in its place, and why it did not count any more. */
  readonly note: string | undefined;
  /** Throws where somebody else has it by now. */
  validate(): void;
  release(): void;
}

const BEAT_MS = 5000;
/** Of another host, whose processes cannot be seen. */
const SILENT_MS = 60_000;

export function lockPath(folder: string): string {
  return join(folder, LOCK);
}

export function readLock(folder: string): LockFile | undefined {
  const found = look(folder);
  return found === 'torn' ? undefined : found;
}

/** Throws `release-locked`, with the name of the owner, where it is somebody else's; anything else: it cannot be written. */
export function takeLock(wish: LockWish): HeldLock {
  try {
    return take(wish);
  } catch (error) {
    throw error instanceof UpkeepError ? error : cannotWrite(wish.folder, error as NodeJS.ErrnoException);
  }
}

function take(wish: LockWish): HeldLock {
  const { folder, home } = wish;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const path = lockPath(folder);
  const there = look(folder);
  const found = there === 'torn' ? undefined : there;
  const stale = found && (isOf(home, found) ? '' : whyStale(found, path, wish.now));
  if (found && stale === undefined) throw locked(found);
  const fence = (found?.fence ?? 0) + 1;
  const self = readProcess(process.pid)!;
  const lock: LockFile = {
    fence,
    home,
    host: hostname(),
    pid: process.pid,
    startTicks: self.startTicks,
    owner: wish.owner,
    reason: wish.reason,
    since: wish.now.toISOString(),
  };
  const mine = `${path}.${randomUUID()}`; // hosts that share the disk have the same pids
  writeFileSync(mine, `${JSON.stringify(lock)}\n`, { mode: 0o644 });
  try {
    // Only one of two who found the same one can move it away, and only one can put his own there.
    if (there) moveAway(path, `${mine}.stale`, there);
    linkSync(mine, path);
  } catch (error) {
    if (!SOMEBODY_WAS_QUICKER.has((error as NodeJS.ErrnoException).code)) throw error;
    const other = readLock(folder);
    throw other ? locked(other) : cannotLock(folder);
  } finally {
    rmSync(mine, { force: true });
    rmSync(`${mine}.stale`, { force: true });
  }
  return hold(folder, lock, stale || undefined);
}

/** His is there, or the one that was found has gone, or is another one by now. */
const SOMEBODY_WAS_QUICKER: ReadonlySet<string | undefined> = new Set(['EEXIST', 'ENOENT', undefined]);

/** Whoever was quicker has put his own there: that one goes back. */
function moveAway(path: string, aside: string, found: Found): void {
  renameSync(path, aside);
  if (isDeepStrictEqual(readAt(aside), found)) return;
  linkSync(aside, path);
  throw new Error(`${path} was taken in the same moment`);
}

/** What a daemon of this home has left that was killed when its release had ended. Only where none is being made. */
export function clearLock(folder: string, home: string): void {
  const found = look(folder);
  if (found && (found === 'torn' || isOf(home, found))) rmSync(lockPath(folder), { force: true });
}

function look(folder: string): Found {
  return readAt(lockPath(folder));
}

function readAt(path: string): Found {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined; // there is none
  }
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), LockFile), text);
  return read.success ? read.output : 'torn';
}

function isOf(home: string, lock: LockFile): boolean {
  return lock.home === home && lock.host === hostname();
}

function hold(folder: string, lock: LockFile, note: string | undefined): HeldLock {
  const path = lockPath(folder);
  // Two who took over the same one have the same fence.
  const isMine = (there: LockFile | undefined): boolean =>
    there?.fence === lock.fence && there.home === lock.home && there.host === lock.host;
  const beat = setInterval(() => {
    if (isMine(readLock(folder))) tryTo(() => utimesSync(path, new Date(), new Date()));
  }, BEAT_MS).unref();
  return {
    fence: lock.fence,
    note,
    validate: () => {
      const other = readLock(folder);
      if (!isMine(other)) throw other ? locked(other) : cannotLock(folder);
    },
    release: () => {
      clearInterval(beat);
      if (isMine(readLock(folder))) tryTo(() => rmSync(path, { force: true }));
    },
  };
}

/** A disk that cannot be written any more ends no release; who finds this lock later sees that its owner is gone. */
function tryTo(write: () => void): void {
  try {
    write();
  } catch {
    // it stays as it is
  }
}

/** undefined: its owner lives, or may. */
function whyStale(lock: LockFile, path: string, now: Date): string | undefined {
  const { host, pid, startTicks, owner, reason, since } = lock;
  const words = `the lock of ${owner} (${reason}, since ${since})`;
  if (host === hostname())
    return isAlive({ pid, startTicks })
      ? undefined
      : `${words} was taken over: its process, pid ${pid}, is gone`;
  const silentMs = now.getTime() - statSync(path).mtimeMs;
  if (silentMs < SILENT_MS) return undefined;
  return `${words} was taken over: ${host} has not renewed it for ${Math.round(silentMs / 1000)} s`;
}

function locked({ owner, reason, since, host, pid }: LockFile): UpkeepError {
  return new UpkeepError(
    'release-locked',
    `Cannot begin the release: ${owner} is at it since ${since} (${reason}; pid ${pid} on ${host})`,
    { hint: 'wait until it has ended; a lock whose owner is gone is taken over by itself' },
  );
}

function cannotLock(folder: string): UpkeepError {
  return new UpkeepError(
    'release-locked',
    `Cannot begin the release: "${lockPath(folder)}" cannot be taken`,
    {
      hint: 'try again; somebody may have taken it in the same moment',
    },
  );
}

function cannotWrite(folder: string, cause: NodeJS.ErrnoException): UpkeepError {
  const hint =
    HINTS[cause.code ?? ''] ?? `see that "${folder}" is a folder that the user of the daemon may write to`;
  return new UpkeepError('release-failed', `Cannot lock "${folder}" for a release: ${cause.message}`, {
    hint,
    cause,
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk; df -h and df -i show what is full',
  EDQUOT: 'make room within the quota of this user',
  EROFS: 'its file system is read-only: mount it for writing; dmesg tells why where nobody meant that',
  EPERM: 'its file system may have no hard links: give the group another folder',
};

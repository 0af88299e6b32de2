/** What the daemon and its two helpers have at one moment, and what lies in the home. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cpuMs, privateKb } from '../../port/costs-nothing/processes.js';
import type { Rig } from '../../../test/rig/index.js';

export interface Member {
  readonly pid: number;
  readonly privateKb: number;
  readonly descriptors: number;
  readonly watches: number;
}

export interface HomeSize {
  /** Files and folders outside of logs/. */
  readonly files: number;
  /** Folders in run/, one for each attempt. */
  readonly attempts: number;
  /** By the name in the home: a file, or a folder with everything in it. */
  readonly bytes: ReadonlyMap<string, number>;
  /** Of the service with the most of it. */
  readonly logFiles: number;
  readonly logBytes: number;
}

export interface Census {
  readonly restarts: number;
  readonly daemon: Member & { readonly cpuMs: number };
  readonly launcher: Member;
  readonly guardian: Member;
  readonly home: HomeSize;
}

export interface Household {
  readonly daemon: number;
  readonly guardian: number;
  readonly launcher: number;
}

export async function findHousehold(rig: Rig): Promise<Household> {
  const { pid: daemon, guardian } = await rig.client.call('daemon');
  const launcher = rig.processes().find(({ pid, parent }) => parent === daemon && isLauncher(pid));
  if (guardian === null || !launcher) throw new Error('The daemon has no guardian or no launcher');
  return { daemon, guardian, launcher: launcher.pid };
}

export function count({ daemon, launcher, guardian }: Household, home: string, restarts: number): Census {
  return {
    restarts,
    daemon: { ...member(daemon), cpuMs: cpuMs(daemon) },
    launcher: member(launcher),
    guardian: member(guardian),
    home: measure(home),
  };
}

/** What each descriptor is, for whoever wonders which one was left open. */
export function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return readlinkSync(join(folder, fd)).replace(/\d+/g, '#');
    } catch {
      return []; // closed meanwhile
    }
  });
}

function member(pid: number): Member {
  const folder = `/proc/${pid}/fdinfo`;
  const watches = readdirSync(folder).map((fd) => linesOf(join(folder, fd), 'inotify wd:'));
  return {
    pid,
    privateKb: privateKb(pid),
    descriptors: watches.length,
    watches: watches.reduce((sum, lines) => sum + lines, 0),
  };
}

function measure(home: string): HomeSize {
  const files = [...walk(home)];
  const services = new Map<string, { files: number; bytes: number }>();
  const bytes = new Map<string, number>();
  for (const { path, size } of files) {
    const [top = '', service] = path.split('/');
    bytes.set(top, (bytes.get(top) ?? 0) + size);
    if (top !== 'logs' || service === undefined) continue;
    const known = services.get(service) ?? { files: 0, bytes: 0 };
    services.set(service, { files: known.files + 1, bytes: known.bytes + size });
  }
  const logs = [...services.values()];
  return {
    files: files.filter(({ path }) => !path.startsWith('logs')).length,
    attempts: files.filter(({ path, size }) => size === 0 && /^run\/[^/]+\.\d+\.\d+\.[^/]+$/.test(path))
      .length,
    bytes,
    logFiles: Math.max(0, ...logs.map((log) => log.files)),
    logBytes: Math.max(0, ...logs.map((log) => log.bytes)),
  };
}

/** Paths below the home; folders have no size. */
function* walk(home: string, below = ''): Generator<{ path: string; size: number }> {
  for (const name of namesIn(join(home, below))) {
    const path = join(below, name);
    const stats = lstatSync(join(home, path), { throwIfNoEntry: false });
    if (!stats) continue;
    yield { path, size: stats.isFile() ? stats.size : 0 };
    if (stats.isDirectory()) yield* walk(home, path);
  }
}

function isLauncher(pid: number): boolean {
  const [program, verb] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return program!.endsWith('upkeep-shim') && verb === 'serve';
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // of an attempt that has just ended
  }
}

function linesOf(path: string, beginning: string): number {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(beginning)).length;
  } catch {
    return 0; // closed meanwhile
  }
}

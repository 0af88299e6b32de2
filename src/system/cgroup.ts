/** Which control group a process is in, and how often the kernel has killed somebody there for its memory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryGroup {
  /** Below the mount of its hierarchy. */
  readonly path: string;
  /** File with a line `oom_kill N`. */
  readonly counter: string;
  readonly kills: number;
  /** null: none is set. */
  readonly limitBytes: number | null;
}

const UNLIMITED = 2 ** 60;

/** undefined: there is no such group, or it cannot be read. */
export function readMemoryGroup(pid: number): MemoryGroup | undefined {
  const groups = readGroups(pid);
  const old = groups.find(({ controllers }) => controllers.split(',').includes('memory'));
  const unified = groups.find(({ controllers }) => controllers === '');
  if (old) return group(join('/sys/fs/cgroup/memory', old.path), old.path, V1);
  return unified && group(join('/sys/fs/cgroup', unified.path), unified.path, V2);
}

const V1 = { counter: 'memory.oom_control', limit: 'memory.limit_in_bytes' };
const V2 = { counter: 'memory.events', limit: 'memory.max' };

function group(folder: string, path: string, files: typeof V1): MemoryGroup | undefined {
  const counter = join(folder, files.counter);
  const kills = readKills(counter);
  if (kills === undefined) return undefined;
  const limit = Number(read(join(folder, files.limit)) ?? 'max');
  return { path, counter, kills, limitBytes: limit < UNLIMITED ? limit : null };
}

/** `counter`: of a MemoryGroup; undefined: it cannot be read. */
export function readKills(counter: string): number | undefined {
  const match = /^oom_kill (\d+)$/m.exec(read(counter) ?? '');
  return match ? Number(match[1]) : undefined;
}

function readGroups(pid: number): { controllers: string; path: string }[] {
  const lines = (read(`/proc/${pid}/cgroup`) ?? '').split('\n').filter(Boolean);
  return lines.map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers, path: path.join(':') };
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // ended, or not there
  }
}

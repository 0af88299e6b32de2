/** Everybody who lives, from /proc. */
import { existsSync, statSync } from 'node:fs';
import { readProcessTable, TICKS_PER_SECOND, type ProcessRow } from '../../system/index.js';
import type { Executable, Process, ProcessLimits } from '../machine.js';
import { lazily } from './lazily.js';
import type { Sight } from './sight.js';

const OTHERS = 'environments, executables and open files of processes that only root may look into';
const DELETED = ' (deleted)';

export type Processes = ReadonlyMap<number, Process>;

export function isShim({ name, argv }: Process): boolean {
  return name === 'upkeep-shim' && argv[1] === 'run';
}

/** Not who only starts it: a guardian has the command of its daemon in its own. */
export function isDaemon({ name, argv }: Process): boolean {
  return name !== 'upkeep-shim' && argv.some((word) => word.endsWith('/daemon.js'));
}

export function readProcesses(sight: Sight): Processes {
  if (!existsSync('/proc/stat')) {
    sight.unseen.add('processes: this system has no /proc');
    return new Map();
  }
  const bootedAt = Number(/^btime (\d+)$/m.exec(sight.text('/proc/stat') ?? '')?.[1]) * 1000;
  const rows = [...readProcessTable().values()].filter(({ state }) => state !== 'Z');
  return new Map(rows.map((row) => [row.pid, toProcess(row, bootedAt, sight)]));
}

function toProcess(row: ProcessRow, bootedAt: number, sight: Sight): Process {
  const { pid, parent, name, startTicks } = row;
  const proc = (file: string): string => `/proc/${pid}/${file}`;
  const status = (): string => sight.text(proc('status')) ?? '';
  return lazily<Process>({
    pid: () => pid,
    parent: () => parent,
    name: () => name,
    startedAt: () => bootedAt + (startTicks * 1000) / TICKS_PER_SECOND,
    uid: () => numberIn(status(), /^Uid:\s+(\d+)/m),
    argv: () => words(sight.text(proc('cmdline'))),
    cwd: () => sight.link(proc('cwd'), OTHERS),
    executable: () => readExecutable(pid, sight),
    environment: () => readVariables(sight.text(proc('environ'), OTHERS)),
    descriptors: () => readDescriptors(proc('fd'), sight),
    limits: () => parseLimits(sight.text(proc('limits'), OTHERS) ?? ''),
    swapBytes: () => (numberIn(status(), /^VmSwap:\s+(\d+) kB/m) ?? 0) * 1024,
    controlGroups: () => sight.text(proc('cgroup')) ?? '',
  });
}

function words(text: string | undefined): string[] {
  return (text ?? '').replace(/\0+$/, '').split('\0');
}

function numberIn(text: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(text);
  return match ? Number(match[1]) : undefined;
}

function readVariables(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

function readExecutable(pid: number, sight: Sight): Executable | undefined {
  const link = sight.link(`/proc/${pid}/exe`, OTHERS);
  if (link === undefined) return undefined;
  if (link.endsWith(DELETED)) {
    const path = link.slice(0, -DELETED.length);
    return { path, now: existsSync(path) ? 'replaced' : 'gone' };
  }
  return { path: link, now: isAnotherFile(pid, link) ? 'replaced' : 'same' };
}

/** In a container the path means another file from the beginning. */
function isAnotherFile(pid: number, path: string): boolean {
  try {
    const [ours, theirs] = ['self', pid].map((who) => statSync(`/proc/${who}/ns/mnt`).ino);
    const [running, lying] = [statSync(`/proc/${pid}/exe`), statSync(path)];
    return ours === theirs && (running.ino !== lying.ino || running.dev !== lying.dev);
  } catch {
    return false; // it ended meanwhile, or is not ours to see
  }
}

function readDescriptors(folder: string, sight: Sight): ReadonlyMap<number, string> {
  const entries = sight.names(folder, OTHERS).map((name) => {
    return [Number(name), sight.link(`${folder}/${name}`, OTHERS) ?? ''] as const;
  });
  return new Map(entries);
}

function parseLimits(text: string): ProcessLimits {
  const soft = (name: string): number => {
    const value = new RegExp(`^Max ${name}\\s+(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Infinity : Number(value);
  };
  return { openFiles: soft('open files'), processes: soft('processes') };
}

/** What the kernel remembers of the want of memory. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { Home, MemoryHistory } from '../machine.js';
import type { Sight } from './sight.js';

const MAX_RECORDS = 20_000;
const MAX_RECORD_BYTES = 8192;

export function readMemory({ daemon, instances }: Home, sight: Sight): MemoryHistory {
  const swap = sight.text('/proc/meminfo') ?? '';
  const oomKills = Number(/^oom_kill (\d+)$/m.exec(sight.text('/proc/vmstat') ?? '')?.[1] ?? 0);
  const processes = [...(daemon ? [daemon] : []), ...instances.map(({ shim }) => shim)];
  const groups = new Set(processes.map(({ controlGroups }) => controlGroups));
  return {
    oomKills,
    oomKillsOfOurs: oomKills === 0 ? 0 : [...groups].reduce((sum, group) => sum + killsIn(group, sight), 0),
    victims: oomKills === 0 ? [] : (sight.look('the kernel log', readVictims) ?? []),
    swapTotalBytes: kilobytesOf(swap, 'SwapTotal') * 1024,
    swapFreeBytes: kilobytesOf(swap, 'SwapFree') * 1024,
  };
}

/** v2 counts in memory.events, v1 in memory.oom_control; one of them has the memory of a process. */
function killsIn(controlGroups: string, sight: Sight): number {
  const [, unified] = /^0::(\/.+)$/m.exec(controlGroups) ?? [];
  const [, legacy] = /^\d+:memory:(\/.+)$/m.exec(controlGroups) ?? [];
  const files = [
    ...(unified ? [`/sys/fs/cgroup${unified}/memory.events`] : []),
    ...(legacy ? [`/sys/fs/cgroup/memory${legacy}/memory.oom_control`] : []),
  ];
  const counts = files.map((file) => Number(/^oom_kill (\d+)$/m.exec(sight.text(file) ?? '')?.[1] ?? 0));
  return Math.max(0, ...counts);
}

function kilobytesOf(text: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
}

function readVictims(): string[] {
  return readKernelLog().flatMap((record) => {
    const [, pid, name] = /[Oo]ut of memory.*: Killed process (\d+) \((.+?)\)/.exec(record) ?? [];
    return pid ? `${name} (pid ${pid})` : [];
  });
}

/** Each read answers one record, until there is none. */
function readKernelLog(): string[] {
  const fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  const records: string[] = [];
  const buffer = Buffer.alloc(MAX_RECORD_BYTES);
  try {
    while (records.length < MAX_RECORDS) records.push(buffer.toString('utf8', 0, readSync(fd, buffer)));
  } catch {
    // EAGAIN: that was the last one; EPIPE: it was overwritten meanwhile
  } finally {
    closeSync(fd);
  }
  return records;
}

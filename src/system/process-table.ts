/**
 * Who lives on this machine, from /proc. A pid alone names nobody (it is reused); pid and start time do, for as long
 * as the machine is up.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

export interface ProcessId {
  readonly pid: number;
  /** Start time in clock ticks since boot, field 22 of /proc/PID/stat. */
  readonly startTicks: number;
}

export interface ProcessRow extends ProcessId {
  readonly name: string;
  /** One letter as in ps: R, S, D, T, Z. */
  readonly state: string;
  readonly parent: number;
  /** User and system time, clock ticks. */
  readonly cpuTicks: number;
  readonly rssBytes: number;
}

export type ProcessTable = ReadonlyMap<number, ProcessRow>;

/** Fixed in the Linux ABI for user space (USER_HZ). */
export const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

const buffer = Buffer.allocUnsafe(1024);

export function readProcess(pid: number): ProcessRow | undefined {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/stat`, 'r');
  } catch {
    return undefined; // it has ended
  }
  try {
    return parseStat(pid, buffer.toString('latin1', 0, readSync(fd, buffer)));
  } catch {
    return undefined; // it ended between open and read (ESRCH)
  } finally {
    closeSync(fd);
  }
}

/**
 * Fields 2 to 24 of proc(5), of which few are wanted: hundreds are read at once, and to split them all would take several times as long.
 * The name may hold blanks and parentheses, so it goes to the last `)`.
 */
const STAT = /\((.*)\) (\S) (-?\d+) (?:\S+ ){9}(\d+) (\d+) (?:\S+ ){6}(\d+) \S+ (\d+)/s;

function parseStat(pid: number, stat: string): ProcessRow | undefined {
  const fields = STAT.exec(stat);
  if (!fields) return undefined;
  return {
    pid,
    name: fields[1]!,
    state: fields[2]!,
    parent: Number(fields[3]),
    cpuTicks: Number(fields[4]) + Number(fields[5]),
    startTicks: Number(fields[6]),
    rssBytes: Number(fields[7]) * PAGE_BYTES,
  };
}

/** `except`: these need not be looked at. */
export function readProcessTable(except?: ReadonlySet<number>): ProcessTable {
  const table = new Map<number, ProcessRow>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || except?.has(pid)) continue;
    const row = readProcess(pid);
    if (row) table.set(pid, row);
  }
  return table;
}

export function isAlive(id: ProcessId): boolean {
  const row = readProcess(id.pid);
  return row !== undefined && row.startTicks === id.startTicks && row.state !== 'Z';
}

/** When it was started: wall clock, milliseconds since the epoch, to a clock tick. */
export function startedAt({ startTicks }: ProcessId): number {
  return bootedAt() + (startTicks / TICKS_PER_SECOND) * 1000;
}

/** When the machine was: wall clock, milliseconds since the epoch. */
export function bootedAt(): number {
  return Date.now() - Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1000;
}

/** The command line as typed, blanks between arguments; undefined where the process is gone or not ours to see. */
export function readCommand(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replace(/\0+$/, '');
    return Buffer.from(text.replaceAll('\0', ' '), 'latin1').toString('utf8');
  } catch {
    return undefined; // it has ended
  }
}

/** What it was executed with, word for word; undefined where the process is gone, or a thread of the kernel. */
export function readArguments(pid: number): string[] | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').split('\0');
    return words[0] === '' ? undefined : words;
  } catch {
    return undefined; // it has ended
  }
}

/** The real uid; undefined where the process is gone. */
export function readUid(pid: number): number | undefined {
  try {
    const match = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined; // it has ended
  }
}

/** The process that a thread is one of; undefined where it is gone. */
export function readThreadGroup(thread: number): number | undefined {
  try {
    const match = /^Tgid:\s+(\d+)/m.exec(readFileSync(`/proc/${thread}/status`, 'latin1'));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined; // it has ended
  }
}

/** What the process was executed with; undefined where it is gone or not ours to see. */
export function readEnvironment(pid: number): Record<string, string> | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    return Object.fromEntries(
      entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
    );
  } catch {
    return undefined; // it has ended, or belongs to another user
  }
}

/** Processes whose initial environment holds `KEY=value`; those of other users are not seen without privilege. */
export function findByEnvironment(entry: string): ProcessRow[] {
  const found: ProcessRow[] = [];
  for (const row of readProcessTable().values()) {
    try {
      if (readFileSync(`/proc/${row.pid}/environ`, 'latin1').split('\0').includes(entry)) found.push(row);
    } catch {
      // ended, or not ours to see
    }
  }
  return found;
}

/** What a process is doing, from /proc. */
import { readdirSync } from 'node:fs';
import { readProcess, TICKS_PER_SECOND } from './process-table.js';
import { readOrUndefined } from './read-proc.js';

/** Of its main thread, since it began. */
export interface ProcessorTime {
  /** How long it ran. */
  readonly cpuMs: number;
  /** How long it could have run, and waited for a processor. */
  readonly queuedMs: number;
}

/** undefined: it has ended. */
export function readProcessorTime(pid: number): ProcessorTime | undefined {
  const [ran, queued] = (readOrUndefined(`/proc/${pid}/schedstat`) ?? '').split(' ').map(Number);
  if (ran !== undefined && queued !== undefined) return { cpuMs: ran / 1e6, queuedMs: queued / 1e6 };
  // A kernel without it: all threads, and nothing about waiting.
  const row = readProcess(pid);
  return row && { cpuMs: (row.cpuTicks * 1000) / TICKS_PER_SECOND, queuedMs: 0 };
}

export interface ProcessActivity {
  /** As in ps; null: it has ended. */
  readonly state: string | null;
  /** The function of the kernel in which it waits; null: none, or not ours to see. */
  readonly waitsIn: string | null;
  readonly openFiles: number | null;
  readonly rssBytes: number | null;
}

export function readActivity(pid: number): ProcessActivity {
  const row = readProcess(pid);
  return {
    state: row?.state ?? null,
    waitsIn: readWaitingPlace(pid),
    openFiles: countFiles(pid),
    rssBytes: row?.rssBytes ?? null,
  };
}

function readWaitingPlace(pid: number): string | null {
  const where = readOrUndefined(`/proc/${pid}/wchan`);
  return where === undefined || where === '' || where === '0' ? null : where;
}

function countFiles(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null; // it has ended, or belongs to another user
  }
}

/** Its main thread waits in epoll, as an event loop does that has nothing to do; false where that cannot be seen. */
export function waitsForEvents(pid: number): boolean {
  return /^(?:do_)?ep(?:oll)?_/.test(readOrUndefined(`/proc/${pid}/wchan`) ?? '');
}

/**
 * Where in the kernel its main thread sleeps in a call that any signal with a handler cuts short by EINTR: a read of a pipe, the opening
 * of a FIFO. An event loop and a lock go on after it. undefined: it does not, or that cannot be seen.
 */
export function interruptibleWait(pid: number): string | undefined {
  const place = readProcess(pid)?.state === 'S' ? readWaitingPlace(pid) : null;
  return place === null || /^(?:do_)?(?:ep(?:oll)?_|futex)/.test(place) ? undefined : place;
}

/** How many more files it may open; Infinity where that cannot be seen. */
export function freeDescriptors(pid: number): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readOrUndefined(`/proc/${pid}/limits`) ?? '')?.[1];
  return limit === undefined ? Infinity : Number(limit) - (countFiles(pid) ?? 0);
}

/** Whether the process has a handler for the signal; without one most signals end it. */
export function handlesSignal(pid: number, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(readOrUndefined(`/proc/${pid}/status`) ?? '')?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

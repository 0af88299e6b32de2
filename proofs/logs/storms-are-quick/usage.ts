/** What processes have used, from /proc. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Peer } from './peer.js';

const TICK_MS = 10;
const KIB_IN_MB = 1000;

/** Processor time so far in ms, by what they are; `children`: of those that have ended (compressors and other helpers). */
export function processorTime(peer: Peer): Map<string, number> {
  const times = new Map<string, number>();
  for (const [kind, pids] of Object.entries(peer.processes()))
    for (const pid of pids) {
      const [own, ended] = timesOf(pid);
      times.set(kind, (times.get(kind) ?? 0) + own);
      times.set('helpers', (times.get('helpers') ?? 0) + ended);
    }
  return times;
}

export function difference(after: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>) {
  return new Map([...after].map(([kind, ms]) => [kind, ms - (before.get(kind) ?? 0)]));
}

function timesOf(pid: number): [own: number, ended: number] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return [(fields[11]! + fields[12]!) * TICK_MS, (fields[13]! + fields[14]!) * TICK_MS];
}

/** From now on the peak is of what comes. Answers what there is. */
export function markMemory(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return status(pid, 'VmRSS');
}

/** MB above what was marked, at most. */
export function peakAbove(pid: number, markedMb: number): number {
  return status(pid, 'VmHWM') - markedMb;
}

function status(pid: number, key: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`^${key}:\\s*(\\d+) kB`, 'm').exec(text)![1]) / KIB_IN_MB;
}

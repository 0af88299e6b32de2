/** Sends signals to processes that are still who they were, one or a whole tree. */
import { constants } from 'node:os';
import { isAlive, type ProcessId, type ProcessRow } from './process-table.js';
import { readTree } from './process-tree.js';

/** Answers false where the process is gone or not ours to signal. */
export function sendSignal(id: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isAlive(id)) return false;
  try {
    return process.kill(id.pid, signal);
  } catch {
    return false; // ESRCH: it ended in this moment; EPERM: it changed its user
  }
}

/** For a child that leads a group of its own (`detached`), with all that it has started; undefined: it was never executed. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: nobody is left in it
  }
}

/** Everything below the shim but `root`: what an application that has ended left behind. */
export function leftovers(shimPid: number, rootPid: number): ProcessRow[] {
  return readTree(shimPid).filter((row) => row.pid !== rootPid);
}

/** Rounds of freezing before the killing begins anyway; a bounded fork bomb holds still after a few. */
const FREEZE_ROUNDS = 20;

/**
 * SIGKILL for everything below `shimPid`. Frozen first, until a look at /proc finds nobody new, because a tree that
 * forks faster than it is killed would outlive any list. Answers how many were hit.
 */
export function killTree(shimPid: number): number {
  const seen = new Map<number, ProcessRow>();
  for (let round = 0; round < FREEZE_ROUNDS; round++) {
    const fresh = readTree(shimPid).filter((row) => !seen.has(row.pid));
    if (fresh.length === 0) break;
    for (const row of fresh) {
      seen.set(row.pid, row);
      sendSignal(row, 'SIGSTOP');
    }
  }
  for (const row of seen.values()) sendSignal(row, 'SIGKILL');
  return seen.size;
}

/** Of two names the first one: SIGABRT is SIGIOT, too. */
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

export function signalName(number: number): string {
  return SIGNAL_NAMES.get(number) ?? `signal ${number}`;
}

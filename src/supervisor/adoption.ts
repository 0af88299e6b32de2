/**
 * Finds what a former daemon left running. Attempts of the present boot are taken back, the newest of each instance;
 * whatever else lies in the run folder is ended and cleared away.
 */
import { readdirSync, readFileSync, writeFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  isAlive,
  killTree,
  readReports,
  removeRunDir,
  runFiles,
  sendSignal,
  type ProcessId,
} from '../system/index.js';
import { parseRunName, runFolder } from './context.js';

export interface FoundAttempt {
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly wasReady: boolean;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** `isKnown`: whether the home still has such an instance. */
export function findAttempts(home: string, isKnown: (service: string) => boolean): FoundAttempt[] {
  const folder = runFolder(home);
  const isSameBoot = noteBoot(join(folder, 'boot'));
  const newest = new Map<string, FoundAttempt>();
  for (const name of readdirSync(folder)) {
    const id = parseRunName(name);
    const runDir = join(folder, name);
    if (!id || !statSync(runDir).isDirectory()) continue;
    const startedAt = startOf(runDir);
    if (!isSameBoot || !isKnown(id.service) || startedAt === undefined) {
      clearAway(runDir);
      continue;
    }
    const found: FoundAttempt = { ...id, startedAt, wasReady: existsSync(runFiles(runDir).ready) };
    const key = `${id.service}.${id.instance}`;
    const rival = newest.get(key);
    const [winner, loser] = rival && rival.attempt > found.attempt ? [rival, found] : [found, rival];
    newest.set(key, winner);
    if (loser) clearAway(join(folder, `${key}.${loser.attempt}`));
  }
  return [...newest.values()];
}

/** Remembers this boot of the machine; false: nothing that was noted before can be alive. */
function noteBoot(path: string): boolean {
  const current = existsSync(BOOT_ID) ? readFileSync(BOOT_ID, 'utf8') : '';
  const known = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (known !== current) writeFileSync(path, current, { mode: 0o600 });
  return known === current;
}

function startOf(runDir: string): number | undefined {
  try {
    return readReports(runDir).find((report) => report.id === 'running')?.at;
  } catch {
    return undefined; // the shim had not begun
  }
}

function clearAway(runDir: string): void {
  try {
    const { shim } = JSON.parse(readFileSync(runFiles(runDir).attempt, 'utf8')) as { shim: ProcessId };
    if (isAlive(shim)) {
      killTree(shim.pid);
      sendSignal(shim, 'SIGKILL');
    }
  } catch {
    // nothing was started, or it is long gone
  }
  removeRunDir(runDir);
}

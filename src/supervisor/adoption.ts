/**
 * Finds what a former daemon left running. Attempts of the present boot are taken back; the newest of each instance that
 * has served goes on serving, the others are what a reload did not finish. Whatever else lies in the run folder is ended
 * and cleared away.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assignRoles } from '../core/index.js';
import type { InstanceRole } from '../protocol/index.js';
import {
  isAlive,
  killTree,
  readProcess,
  readReports,
  removeRunDir,
  runFiles,
  sendSignal,
  type ProcessId,
  type ShimReport,
} from '../system/index.js';
import type { AttemptMark } from './attempt.js';
import { parseRunName, runFolder, type RunId } from './context.js';
import { readInterlude, type Interlude } from './interlude.js';

export interface FoundAttempt extends RunId {
  /**
   * `new`: it never served. `joined`: it took traffic beside the one that serves. `old`: another one serves in its place, it may
   * still have connections.
   */
  readonly role: InstanceRole;
  readonly runDir: string;
  readonly mark: AttemptMark;
  readonly shim: ProcessId | undefined;
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly wasReady: boolean;
  /** It took traffic beside the one that serves, or was about to. */
  readonly hasJoined: boolean;
  /** It was the instance of its index. */
  readonly hasServed: boolean;
  /** It has ended meanwhile. */
  readonly isOver: boolean;
  /** How often the instance had been restarted. */
  readonly restarts: number;
  /** It has ended, and its instance waits for the next one. */
  readonly interlude: Interlude | undefined;
}

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export interface AdoptionOptions {
  /** Whether the service is ready as soon as it runs; undefined: the home has no such service. */
  isReadyByStart(service: string): boolean | undefined;
  /** The attempt that a commit which is on disk lets go, see `assignRoles`. */
  leaving(service: string, instance: number): number | undefined;
  /** Some of the desired state was lost: what the home does not know may have been wanted, and is left alone. */
  readonly isStateDoubtful: boolean;
  onLeftAlone(id: RunId): void;
}

export function findAttempts(home: string, options: AdoptionOptions): FoundAttempt[] {
  const folder = runFolder(home);
  const isSameBoot = noteBoot(join(folder, 'boot'));
  const found = new Map<string, FoundAttempt[]>();
  for (const name of readdirSync(folder)) {
    const id = parseRunName(name);
    if (!id) continue;
    const runDir = join(folder, name);
    const reports = isSameBoot ? readAll(runDir) : [];
    const isReady = options.isReadyByStart(id.service);
    const running = reports.find((report) => report.id === 'running');
    const interlude = isSameBoot ? readInterlude(runDir) : undefined;
    if (isReady === undefined || !(running ?? interlude)) {
      if (running && !isOver(reports) && isUnclaimed(runDir, options)) options.onLeftAlone(id);
      else clearAway(runDir, reports);
      continue;
    }
    const shim = reports.find((report) => report.id === 'shim');
    const [, restarts = '0', mark = ''] = /^(\d+)([cg]?)\w*$/.exec(shim?.note ?? '') ?? [];
    const isMarked = existsSync(runFiles(runDir).ready);
    const hasJoined = existsSync(runFiles(runDir).joined);
    const attempt: FoundAttempt = {
      ...id,
      role: 'serving',
      runDir,
      mark: mark as AttemptMark,
      shim: shim?.process,
      startedAt: running?.at ?? interlude!.at,
      wasReady: isReady || isMarked || hasJoined,
      hasJoined,
      hasServed: mark === '' || isMarked,
      isOver: isOver(reports),
      restarts: Number(restarts),
      interlude,
    };
    const key = `${id.service}.${id.instance}`;
    found.set(key, [...(found.get(key) ?? []), attempt]);
  }
  return [...found.values()].flatMap((attempts) => withRoles(attempts, options));
}

const BEGUN_AS = { '': 'serving', c: 'candidate', g: 'instead' } as const;

function withRoles(attempts: readonly FoundAttempt[], { leaving }: AdoptionOptions): FoundAttempt[] {
  const [{ service, instance }] = attempts as [FoundAttempt];
  const traces = attempts.map(({ mark, ...attempt }) => ({ ...attempt, begunAs: BEGUN_AS[mark] }));
  const roles = assignRoles(traces, leaving(service, instance));
  return attempts.map((attempt, place) => ({ ...attempt, role: roles[place]! }));
}

function isOver(reports: readonly ShimReport[]): boolean {
  return reports.some((report) => report.id === 'empty' || (report.id === 'exited' && report.isTreeEmpty));
}

function isUnclaimed(runDir: string, { isStateDoubtful }: AdoptionOptions): boolean {
  const mark = runFiles(runDir).unclaimed;
  if (isStateDoubtful) writeFileSync(mark, '', { mode: 0o600 });
  return existsSync(mark);
}

/**
 * Remembers this boot of the machine, and of the container, whose kernel goes on where it is booted anew; false: nothing
 * that was noted before can be alive. Former daemons noted the kernel alone.
 */
function noteBoot(path: string): boolean {
  const kernel = existsSync(BOOT_ID) ? readFileSync(BOOT_ID, 'utf8') : '';
  const current = `${kernel}${readProcess(1)?.startTicks ?? ''}`;
  const known = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  if (known !== current) writeFileSync(path, current, { mode: 0o600 });
  return known === current || known === kernel;
}

function readAll(runDir: string): ShimReport[] {
  try {
    return readReports(runDir);
  } catch {
    return []; // the shim had not begun
  }
}

function clearAway(runDir: string, reports: readonly ShimReport[]): void {
  const shim = reports.find((report) => report.id === 'shim')?.process;
  if (shim && isAlive(shim)) {
    killTree(shim.pid);
    sendSignal(shim, 'SIGKILL');
  }
  removeRunDir(runDir);
}

/**
 * The shim (native/shim.c) is the parent of each instance and outlives the daemon. This file starts it, reads what it
 * reports, and lets it go.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UpkeepError } from '../protocol/index.js';
import { packageRoot } from './package-root.js';
import type { ProcessId } from './process-table.js';

/** One line of a run journal. Times are wall clock, milliseconds since the epoch. */
export type ShimReport =
  | { readonly id: 'running'; readonly process: ProcessId; readonly at: number }
  | {
      readonly id: 'failed';
      readonly stage: 'stdio' | 'user' | 'cwd' | 'exec';
      readonly errno: number;
      readonly at: number;
    }
  | {
      readonly id: 'exited';
      readonly code: number | null;
      readonly signal: number | null;
      readonly at: number;
      readonly isTreeEmpty: boolean;
    }
  | { readonly id: 'empty'; readonly at: number };

export interface ShimLaunch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Numeric; undefined: the daemon's own user. */
  readonly user?:
    { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | undefined;
}

export function shimPath(): string {
  const path = join(packageRoot(), 'native', `${process.platform}-${process.arch}`, 'upkeep-shim');
  if (!existsSync(path)) {
    throw new UpkeepError(
      'unsupported',
      `Cannot supervise on ${process.platform}-${process.arch}: ${path} does not exist`,
      {
        hint: 'build it with a C compiler: npm run build:shim',
      },
    );
  }
  return path;
}

export interface RunFiles {
  /** Written by the shim. */
  readonly journal: string;
  /** FIFOs. */
  readonly out: string;
  readonly err: string;
  /** What the daemon leaves behind for the one that comes after it. */
  readonly attempt: string;
  /** Exists once the attempt was ready. */
  readonly ready: string;
}

/** The files of one attempt, in a folder of its own below `<home>/run`. */
export function runFiles(runDir: string): RunFiles {
  return {
    journal: join(runDir, 'journal'),
    out: join(runDir, 'out'),
    err: join(runDir, 'err'),
    attempt: join(runDir, 'attempt.json'),
    ready: join(runDir, 'ready'),
  };
}

export function createRunDir(runDir: string): void {
  mkdirSync(runDir, { mode: 0o700 });
}

export function removeRunDir(runDir: string): void {
  rmSync(runDir, { recursive: true, force: true });
}

/** Emits 'error' on the child where the shim itself cannot be started (EAGAIN, ENOMEM). */
export function spawnShim(runDir: string, eventsPath: string, launch: ShimLaunch): ChildProcess {
  const options = [`cwd=${launch.cwd}`];
  if (launch.user)
    options.push(`user=${[launch.user.uid, launch.user.gid, ...launch.user.groups].join(':')}`);
  const child = spawn(shimPath(), ['run', runDir, eventsPath, ...options, '--', ...launch.argv], {
    cwd: '/',
    env: launch.env,
    stdio: 'ignore',
    detached: true,
  });
  child.unref();
  return child;
}

/** `exited …|empty …` is one line of two reports: nothing was left behind. */
export function parseReport(line: string): ShimReport | undefined {
  const [head, tail] = line.split('|');
  const [id, ...fields] = (head ?? '').split(' ');
  const number = (index: number): number | null => (fields[index] === '-' ? null : Number(fields[index]));
  switch (id) {
    case 'running':
      return {
        id,
        process: { pid: Number(fields[0]), startTicks: Number(fields[1]) },
        at: Number(fields[2]),
      };
    case 'failed':
      return {
        id,
        stage: fields[0] as 'stdio' | 'user' | 'cwd' | 'exec',
        errno: Number(fields[1]),
        at: Number(fields[2]),
      };
    case 'exited':
      return {
        id,
        code: number(0),
        signal: number(1),
        at: Number(fields[3]),
        isTreeEmpty: tail?.startsWith('empty') ?? false,
      };
    case 'empty':
      return { id, at: Number(fields[0]) };
    default:
      return undefined;
  }
}

export function readReports(runDir: string): ShimReport[] {
  const lines = readFileSync(runFiles(runDir).journal, 'utf8').split('\n');
  return lines.map(parseReport).filter((report) => report !== undefined);
}

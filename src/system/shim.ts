/**
 * The shim (native/shim.c) is the parent of each instance and outlives the daemon. This file reads what it reports and
 * knows its files; launcher.ts starts it.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UpkeepError } from '../protocol/index.js';
import { packageRoot } from './package-root.js';
import type { ProcessId } from './process-table.js';

export type LaunchStage =
  'run-dir' | 'sockets' | 'channel' | 'notify' | 'stdio' | 'fork' | 'user' | 'cwd' | 'exec';

/** One line of a run journal. Times are wall clock, milliseconds since the epoch. */
export type ShimReport =
  | { readonly id: 'shim'; readonly process: ProcessId; readonly note: string; readonly at: number }
  | { readonly id: 'running'; readonly process: ProcessId; readonly at: number }
  | { readonly id: 'failed'; readonly stage: LaunchStage; readonly errno: number; readonly at: number }
  | {
      readonly id: 'exited';
      readonly code: number | null;
      readonly signal: number | null;
      /** The kernel has written one. */
      readonly hasCore: boolean;
      readonly at: number;
      readonly isTreeEmpty: boolean;
    }
  | { readonly id: 'empty'; readonly at: number }
  /** What could not be written to the log, since the beginning of the attempt. */
  | {
      readonly id: 'lost';
      readonly stream: 'out' | 'err';
      readonly bytes: number;
      readonly lines: number;
      readonly errno: number;
      readonly at: number;
    }
  /** A line of the preload, see src/preload/channel.ts, or of sd_notify(3). There may be many. */
  | { readonly id: 'said'; readonly text: string; readonly at: number }
  | { readonly id: 'notify'; readonly text: string; readonly at: number };

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
  /** Exists once the attempt was ready. */
  readonly ready: string;
  /** Exists where it takes traffic beside the one that serves. */
  readonly joined: string;
  /** Exists where probes look at it; written anew by each that succeeds. */
  readonly answered: string;
  /** Exists where the process that served was killed, and what it ran behind lives on: why, and since when. */
  readonly lost: string;
  /** Exists where its end was told, and the instance waits for its next attempt. */
  readonly over: string;
  /** Who wants it to end, and which signals it was sent; exists once somebody does. */
  readonly asked: string;
  /** Exists where the description of the service was lost: nobody may end what runs. */
  readonly unclaimed: string;
  /** Folder of the application's own sockets, see src/preload/control.ts. */
  readonly app: string;
}

/** The files of one attempt, in a folder of its own below `<home>/run`. */
export function runFiles(runDir: string): RunFiles {
  return {
    journal: join(runDir, 'journal'),
    ready: join(runDir, 'ready'),
    joined: join(runDir, 'joined'),
    answered: join(runDir, 'answered'),
    lost: join(runDir, 'lost'),
    over: join(runDir, 'over'),
    asked: join(runDir, 'asked'),
    unclaimed: join(runDir, 'unclaimed'),
    app: join(runDir, 'app'),
  };
}

/** The shim clears its folder away itself; this is for one that was killed. */
export function removeRunDir(runDir: string): void {
  rmSync(runDir, { recursive: true, force: true });
}

/** `exited …|empty …` is one line of two reports: nothing was left behind. */
export function parseReport(line: string): ShimReport | undefined {
  const [head, tail] = line.split('|');
  const [id, ...fields] = (head ?? '').split(' ');
  const number = (index: number): number | null => (fields[index] === '-' ? null : Number(fields[index]));
  switch (id) {
    case 'shim':
      return { id, process: toProcess(fields), note: fields[2] ?? '', at: Number(fields[3]) };
    case 'running':
      return { id, process: toProcess(fields), at: Number(fields[2]) };
    case 'failed':
      return {
        id,
        stage: fields[0] as LaunchStage,
        errno: Number(fields[1]),
        at: Number(fields[2]),
      };
    case 'exited':
      return {
        id,
        code: number(0),
        signal: number(1),
        hasCore: fields[2] === '1',
        at: Number(fields[3]),
        isTreeEmpty: tail?.startsWith('empty') ?? false,
      };
    case 'empty':
      return { id, at: Number(fields[0]) };
    case 'lost':
      return {
        id,
        stream: fields[0] as 'out' | 'err',
        bytes: Number(fields[1]),
        lines: Number(fields[2]),
        errno: Number(fields[3]),
        at: Number(fields[4]),
      };
    case 'said':
    case 'notify':
      return { id, at: Number(fields[0]), text: fields.slice(1).join(' ') };
    default:
      return undefined;
  }
}

function toProcess([pid, startTicks]: readonly string[]): ProcessId {
  return { pid: Number(pid), startTicks: Number(startTicks) };
}

export function readReports(runDir: string): ShimReport[] {
  const lines = readFileSync(runFiles(runDir).journal, 'utf8').split('\n');
  return lines.map(parseReport).filter((report) => report !== undefined);
}

/**
 * Starts the archiver (main.ts) when files of logs were moved aside, and things have calmed down. There is one at a time,
 * also where another daemon has left one behind: it runs under a lock.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { namesIn, packageRoot, shimPath } from '../../system/index.js';
import type { LogSpec } from '../../protocol/index.js';
import type { ArchiveJob } from './main.js';

/** After the last rotation, */
const CALM_MS = 5000;
/** but not longer after the first. */
const PATIENCE_MS = 30_000;
/** Files become too old without any rotation. */
const LOOK_ANYWAY_MS = 3600_000;
const MAX_TOLD_CHARACTERS = 1000;
/** Of sysexits.h, and what the shim answers where another one is at work. */
const EXIT_BUSY = 75;

export interface ArchiverOptions {
  readonly home: string;
  /** Of all logs. */
  readonly folder: string;
  readonly services: () => Iterable<{ readonly name: string; readonly logs: LogSpec }>;
  readonly onFailed: (message: string) => void;
}

export class Archiver {
  readonly #options: ArchiverOptions;
  readonly #interval: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #firstAt = 0;
  #child: ChildProcess | undefined;
  #isOver = false;

  /** A former daemon may have left work. */
  constructor(options: ArchiverOptions) {
    this.#options = options;
    this.#interval = setInterval(() => this.#onHour(), LOOK_ANYWAY_MS).unref();
    this.note();
  }

  /** Something was moved aside. */
  note(): void {
    if (this.#isOver) return;
    const now = performance.now();
    if (!this.#timer) this.#firstAt = now;
    else if (now - this.#firstAt > PATIENCE_MS - CALM_MS) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onCalm(), CALM_MS).unref();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#interval);
    this.#child?.kill('SIGKILL'); // it may end at any point
  }

  #onHour(): void {
    for (const { logs } of this.#options.services()) if (logs.maxAgeMs !== null) return this.note();
  }

  #onCalm(): void {
    this.#timer = undefined;
    if (this.#child) this.note();
    else if (this.#hasWork()) this.#start();
  }

  /** Asked before a process is started for it. */
  #hasWork(): boolean {
    const { folder, services } = this.#options;
    for (const { name, logs } of services())
      if (
        namesIn(join(folder, name)).some((file) =>
          (logs.maxAgeMs === null ? ROTATED : ROTATED_OR_ARCHIVED).test(file),
        )
      )
        return true;
    return false;
  }

  #start(): void {
    const { home } = this.#options;
    const script = join(packageRoot(), 'dist', 'log-archiver.js');
    const argv = ['lock', join(home, 'run', 'archiver.lock'), '--', process.execPath, script];
    const child = spawn(shimPath(), argv, {
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: {},
      cwd: '/',
    });
    let told = '';
    this.#child = child;
    child.stderr.on(
      'data',
      (chunk: Buffer) => (told += chunk.toString().slice(0, MAX_TOLD_CHARACTERS - told.length)),
    );
    child.stdin.on('error', () => undefined); // its end is told otherwise
    child.stdin.end(JSON.stringify(this.#job()));
    child.on('error', (error) => this.#onEnd(error.message));
    child.on('exit', (_code, signal) => signal !== null && this.note()); // it may be killed at any point, and begin again
    child.on('close', (code) =>
      this.#onEnd(code === 0 || code === null || code === EXIT_BUSY ? undefined : told.trim()),
    );
    child.unref();
  }

  #job(): ArchiveJob {
    const { folder, services } = this.#options;
    const options = [...services()].map(
      ({ name, logs: { compress, maxAgeMs } }) => [name, { compress, maxAgeMs }] as const,
    );
    return { folder, said: process.env['UPKEEP_LOGS_MAX'], services: Object.fromEntries(options) };
  }

  #onEnd(failure: string | undefined): void {
    this.#child = undefined;
    if (failure !== undefined && !this.#isOver)
      this.#options.onFailed(`logs could not be compressed: ${failure}`);
  }
}

const ROTATED = /^(?:out|err)(?:-\d+)?\.log\.\d+$/;
const ROTATED_OR_ARCHIVED = /^(?:out|err)(?:-\d+)?\.log\.\d+(?:\.gz)?$/;

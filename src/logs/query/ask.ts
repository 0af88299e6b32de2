/**
 * Questions about logs are answered by a child of the daemon, one for each: reading gigabytes, or trying a bad regular
 * expression on them, must keep nobody waiting who asks the daemon something else, and its memory goes with it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { packageRoot } from '../../system/index.js';
import { QUESTION_FORMAT, type LogQuestion } from './question.js';

const MAX_WORDS = 4096;
/** A small young generation keeps the whole small; the garbage collector is for sweep.ts. */
const NODE_OPTIONS = ['--max-semi-space-size=2', '--expose-gc', '--no-warnings'];

/** Of glibc, mallopt(3): what was large goes back to the system at once, instead of lying around in pieces. */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '131072' };

export class LogAnswer {
  readonly #child: ChildProcess;
  #words = '';

  constructor(question: LogQuestion, home: string) {
    const { TZ } = process.env;
    this.#child = spawn(process.execPath, [...NODE_OPTIONS, join(packageRoot(), 'dist', 'log-query.js')], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { UPKEEP_HOME: home, ...MALLOC, ...(TZ === undefined ? {} : { TZ }) },
    });
    this.#child.stderr!.on('data', (words: Buffer) => {
      this.#words = `${this.#words}${words.toString('utf8')}`.slice(0, MAX_WORDS);
    });
    // It may be gone before it has read all; its end is what tells why.
    this.#child.stdin!.on('error', () => undefined);
    this.#child.stdin!.write(`${JSON.stringify({ format: QUESTION_FORMAT, question })}\n`);
  }

  /** In the form of an event stream. */
  get stream(): Readable {
    return this.#child.stdout!;
  }

  /** Calls once when there is nothing more; with what went wrong where that is not all. */
  onEnd(call: (failure: string | undefined) => void): void {
    this.#child.once('error', (error) => call(error.message));
    this.#child.once('close', (code, signal) => {
      if (code !== 0) call(this.#words.trim() || `it ended with ${signal ?? `exit code ${code}`}`);
      else call(undefined);
    });
  }

  /** Nobody wants to know any more. */
  end(): void {
    this.#child.kill('SIGKILL');
  }
}

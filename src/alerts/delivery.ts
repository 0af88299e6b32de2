/**
 * Sends notices by a child of the daemon (sender/main.ts): mail and TLS would cost the daemon megabytes, and a receiver that
 * hangs must hang nobody else. The child says of each notice whether it arrived, and ends with the first that could not be sent.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AlertTarget, Notice } from '../protocol/index.js';
import { packageRoot } from '../system/index.js';

/** Of a child that does not come back: it has limits of its own, for each notice. */
const MAX_CHILD_MS = 120_000;
const MAX_WORDS = 500;

/** What the child says, a line each. */
export type Word =
  | { readonly done: string }
  /** The receiver works, and does not want this one: why. */
  | { readonly refused: string; readonly why: string }
  | { readonly failed: string };

export interface DeliveryObserver {
  onDone(id: string): void;
  onRefused(id: string, why: string): void;
}

export class Delivery {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #failure: string | undefined;
  #words = '';

  constructor(target: AlertTarget, notices: readonly Notice[], observer: DeliveryObserver) {
    const { PATH, HOME, TZ, UPKEEP_HOME } = process.env;
    this.#child = spawn(process.execPath, ['--no-warnings', join(packageRoot(), 'dist', 'alert-sender.js')], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH, HOME, TZ, UPKEEP_HOME },
    });
    this.#timer = setTimeout(() => this.end(), MAX_CHILD_MS);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      const word = JSON.parse(line) as Word;
      if ('done' in word) observer.onDone(word.done);
      else if ('refused' in word) observer.onRefused(word.refused, word.why);
      else this.#failure = word.failed;
    });
    this.#child.stderr!.on('data', (words: Buffer) => {
      this.#words = `${this.#words}${words.toString('utf8')}`.slice(0, MAX_WORDS);
    });
    this.#child.stdin!.on('error', () => undefined); // its end tells why
    // It stays open: its end tells the child that the daemon is gone.
    this.#child.stdin!.write(`${JSON.stringify({ target, notices })}\n`);
  }

  /** Resolves with why not all were sent; undefined: all were, though some may have been refused. */
  ended(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const settle = (failure: string | undefined): void => {
        clearTimeout(this.#timer);
        resolve(failure);
      };
      this.#child.once('error', (error) => settle(error.message));
      this.#child.once('close', (code, signal) => {
        if (code === 0) return settle(undefined);
        settle(this.#failure ?? (this.#words.trim() || `the sender ended with ${signal ?? `code ${code}`}`));
      });
    });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

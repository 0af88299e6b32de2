/** Watches one attempt until its ready rule is met; the deadline is the state machine's. */
import type { ReadySpec } from '../protocol/index.js';
import { runCheck, type CheckTarget } from './check.js';

const FIRST_POLL_MS = 10;
const SLOWEST_POLL_MS = 250;
const CHECK_TIMEOUT_MS = 5000;

export interface Readiness {
  /** What was missing at the last look; undefined before the first. */
  readonly detail: string | undefined;
  /** The program was executed. */
  onRunning(): void;
  onLines(lines: Buffer): void;
  end(): void;
}

export function watchReadiness(rule: ReadySpec, target: CheckTarget, onReady: () => void): Readiness {
  switch (rule.on) {
    case 'start':
      return { detail: undefined, onRunning: onReady, onLines: () => undefined, end: () => undefined };
    case 'log':
      return new LogReadiness(new RegExp(rule.pattern), onReady);
    case 'check':
      return new CheckReadiness(rule, target, onReady);
  }
}

class LogReadiness implements Readiness {
  readonly detail: string;
  readonly #pattern: RegExp;
  readonly #onReady: () => void;
  #isOver = false;

  constructor(pattern: RegExp, onReady: () => void) {
    this.#pattern = pattern;
    this.#onReady = onReady;
    this.detail = `no line matches ${String(pattern)}`;
  }

  onRunning(): void {
    // a line will tell
  }

  onLines(lines: Buffer): void {
    if (
      this.#isOver ||
      !lines
        .toString('utf8')
        .split('\n')
        .some((line) => this.#pattern.test(line))
    )
      return;
    this.#isOver = true;
    this.#onReady();
  }

  end(): void {
    this.#isOver = true;
  }
}

class CheckReadiness implements Readiness {
  readonly #rule: Extract<ReadySpec, { on: 'check' }>;
  readonly #target: CheckTarget;
  readonly #onReady: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  detail: string | undefined;

  constructor(rule: Extract<ReadySpec, { on: 'check' }>, target: CheckTarget, onReady: () => void) {
    this.#rule = rule;
    this.#target = target;
    this.#onReady = onReady;
  }

  onRunning(): void {
    this.#later(FIRST_POLL_MS);
  }

  onLines(): void {
    // the check will tell
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #later(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#look(delayMs), delayMs);
  }

  async #look(delayMs: number): Promise<void> {
    const result = await runCheck(this.#rule.check, this.#target, CHECK_TIMEOUT_MS);
    if (this.#isOver) return;
    this.detail = result.detail;
    if (!result.isSuccess) return this.#later(Math.min(SLOWEST_POLL_MS, delayMs * 1.3));
    this.end();
    this.#onReady();
  }
}

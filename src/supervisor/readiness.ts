/** Watches one attempt until its ready rule is met; the deadline is the state machine's. */
import type { ReadySpec } from '../protocol/index.js';
import { runCheck, type CheckTarget, type OutputFollow } from './check.js';

const FIRST_POLL_MS = 10;
const SLOWEST_POLL_MS = 250;
const CHECK_TIMEOUT_MS = 5000;

/** What a process of the attempt says of itself. */
export type ReadyNews =
  | { readonly id: 'listening' }
  | { readonly id: 'message' }
  /** One VARIABLE=VALUE of sd_notify(3). */
  | { readonly id: 'notify'; readonly text: string };

export interface Readiness {
  /** What was missing at the last look; undefined before the first. */
  readonly detail: string | undefined;
  /** The program was executed. */
  onRunning(): void;
  onNews(news: ReadyNews): void;
  /** It has ended: the last chance to be ready. */
  onExited(): void;
  end(): void;
}

const nothing = (): void => undefined;

export function watchReadiness(rule: ReadySpec, target: CheckTarget, onReady: () => void): Readiness {
  switch (rule.on) {
    case 'start':
      return { detail: undefined, onRunning: onReady, onNews: nothing, onExited: nothing, end: nothing };
    case 'message':
      return new NewsReadiness("no process.send('ready') came", ({ id }) => id === 'message', onReady);
    case 'notify': {
      const missing = 'no READY=1 came to NOTIFY_SOCKET';
      return new NewsReadiness(missing, (news) => news.id === 'notify' && news.text === 'READY=1', onReady);
    }
    case 'log':
      return new LogReadiness(new RegExp(rule.pattern), target, onReady);
    case 'check':
      return new CheckReadiness(rule, target, onReady);
  }
}

class NewsReadiness implements Readiness {
  readonly detail: string;
  readonly #isIt: (news: ReadyNews) => boolean;
  readonly #onReady: () => void;
  #isOver = false;

  constructor(detail: string, isIt: (news: ReadyNews) => boolean, onReady: () => void) {
    this.detail = detail;
    this.#isIt = isIt;
    this.#onReady = onReady;
  }

  onRunning(): void {
    // news will tell
  }

  onNews(news: ReadyNews): void {
    if (this.#isOver || !this.#isIt(news)) return;
    this.#isOver = true;
    this.#onReady();
  }

  onExited(): void {
    this.end();
  }

  end(): void {
    this.#isOver = true;
  }
}

class LogReadiness implements Readiness {
  readonly detail: string;
  readonly #pattern: RegExp;
  readonly #target: CheckTarget;
  readonly #onReady: () => void;
  #output: OutputFollow | undefined;

  constructor(pattern: RegExp, target: CheckTarget, onReady: () => void) {
    this.#pattern = pattern;
    this.#target = target;
    this.#onReady = onReady;
    this.detail = `no line matches ${String(pattern)}`;
  }

  onRunning(): void {
    this.#output = this.#target.followOutput((line) => this.#onLine(line));
  }

  onNews(): void {
    // a line will tell
  }

  onExited(): void {
    this.#output?.look();
    this.end();
  }

  end(): void {
    this.#output?.end();
    this.#output = undefined;
  }

  #onLine(line: string): void {
    if (!this.#output || !this.#pattern.test(line)) return;
    this.end();
    this.#onReady();
  }
}

class CheckReadiness implements Readiness {
  readonly #rule: Extract<ReadySpec, { on: 'check' }>;
  readonly #target: CheckTarget;
  readonly #onReady: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
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

  /** Who listens may well be ready: no need to wait for the next look. */
  onNews({ id }: ReadyNews): void {
    if (this.#isOver || id !== 'listening' || this.#isLooking) return;
    clearTimeout(this.#timer);
    void this.#look(FIRST_POLL_MS);
  }

  onExited(): void {
    this.end();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #later(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#look(delayMs), delayMs);
  }

  async #look(delayMs: number): Promise<void> {
    this.#isLooking = true;
    const result = await runCheck(this.#rule.check, this.#target, CHECK_TIMEOUT_MS);
    this.#isLooking = false;
    if (this.#isOver) return;
    this.detail = result.detail;
    if (!result.isSuccess) return this.#later(Math.min(SLOWEST_POLL_MS, delayMs * 1.3));
    this.end();
    this.#onReady();
  }
}

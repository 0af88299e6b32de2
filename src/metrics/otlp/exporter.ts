/**
 * Exports at its interval, and tries again what may succeed, with growing pauses, until the next export is due: that one has the newer values of
 * the same counters, so nothing waits, and nothing piles up. A receiver that is down, slow or says no is told once.
 */
import { hostname } from 'node:os';
import type { Scraped } from '../families.js';
import { encodeMetrics } from './encode.js';
import type { OtlpOptions } from './options.js';
import { send, type Outcome, type Sending } from './send.js';
import { StartTimes } from './start-times.js';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export interface OtlpHost {
  readonly version: string;
  readonly wall: () => Date;
  /** From [0, 1). */
  readonly random: () => number;
  readonly services: () => readonly Scraped[];
  readonly warn: (message: string) => void;
  readonly onInternalError: (error: unknown) => void;
}

export class OtlpExporter {
  readonly #options: OtlpOptions;
  readonly #host: OtlpHost;
  #starts: StartTimes | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause: NodeJS.Timeout | undefined;
  #sending: Sending | undefined;
  #isBusy = false;
  #isOver = false;
  /** What was complained of last; undefined: nothing since it was well. */
  #trouble: string | undefined;

  constructor(options: OtlpOptions, host: OtlpHost) {
    this.#options = options;
    this.#host = host;
  }

  begin(): void {
    this.#starts = new StartTimes(this.#host.services(), this.#now());
    this.#timer = setInterval(() => void this.#export(), this.#options.intervalMs).unref();
  }

  end(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    clearTimeout(this.#pause);
    this.#sending?.abort();
  }

  async #export(): Promise<void> {
    if (this.#isBusy) return; // the one before is not at its end yet
    this.#isBusy = true;
    try {
      const services = this.#starts!.look(this.#host.services(), this.#now());
      const body = JSON.stringify(encodeMetrics(services, this.#resource(), this.#now()));
      this.#note(await this.#deliver(body));
    } catch (error) {
      this.#host.onInternalError(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Answers what came of the last try. */
  async #deliver(body: string): Promise<Outcome> {
    const until = performance.now() + this.#options.intervalMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      this.#sending = send(this.#options, body);
      const outcome = await this.#sending.outcome;
      if (outcome.is !== 'failed' || this.#isOver) return outcome;
      const waitMs = Math.max(outcome.afterMs ?? 0, pauseMs * (0.5 + this.#host.random() / 2));
      if (performance.now() + waitMs >= until) return outcome;
      await new Promise<void>((resolve) => (this.#pause = setTimeout(resolve, waitMs).unref()));
    }
  }

  #note(outcome: Outcome): void {
    if (this.#isOver) return;
    const trouble = outcome.is === 'taken' ? outcome.complaint : outcome.why;
    if (trouble !== undefined && this.#trouble === undefined)
      this.#host.warn(
        `cannot export all metrics to ${this.#options.url.origin}: ${trouble}; it is tried again`,
      );
    this.#trouble = trouble;
  }

  #resource(): Parameters<typeof encodeMetrics>[1] {
    const own = { 'service.name': 'upkeep', 'service.version': this.#host.version, 'host.name': hostname() };
    return { version: this.#host.version, attributes: { ...own, ...this.#options.attributes } };
  }

  #now(): number {
    return this.#host.wall().getTime();
  }
}

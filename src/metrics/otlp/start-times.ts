/**
 * Since when the counters of each service count: what is cumulative has a beginning, and a value that is lower than before needs
 * another one. What was counted before the export began, by a former daemon for example, is subtracted.
 */
import type { Scraped } from '../families.js';

/** `sinceMs`: wall clock, milliseconds. */
export interface Counted extends Scraped {
  readonly sinceMs: number;
}

interface Known {
  readonly sinceMs: number;
  readonly restartsBefore: number;
  readonly last: Scraped;
}

export class StartTimes {
  #known: ReadonlyMap<string, Known>;
  #lookedAt: number;

  /** `services`: those that there are when it begins. */
  constructor(services: readonly Scraped[], nowMs: number) {
    this.#lookedAt = nowMs;
    this.#known = new Map(
      services.map((last) => [last.view.name, { sinceMs: nowMs, restartsBefore: last.view.restarts, last }]),
    );
  }

  look(services: readonly Scraped[], nowMs: number): Counted[] {
    // Created since it was looked at last, or deleted and created: then it has counted from zero.
    const anew = { sinceMs: this.#lookedAt, restartsBefore: 0 };
    const now = services.map((scraped): [string, Known] => {
      const known = this.#known.get(scraped.view.name);
      const goesOn = known !== undefined && !hasFallen(known.last, scraped);
      return [scraped.view.name, { ...(goesOn ? known : anew), last: scraped }];
    });
    this.#known = new Map(now);
    this.#lookedAt = nowMs;
    return now.map(([, { sinceMs, restartsBefore, last }]) => ({
      ...last,
      view: { ...last.view, restarts: last.view.restarts - restartsBefore },
      sinceMs,
    }));
  }
}

function hasFallen(before: Scraped, now: Scraped): boolean {
  const { requests, errors, durationMs } = before.total;
  return (
    now.view.restarts < before.view.restarts ||
    now.total.requests < requests ||
    now.total.errors < errors ||
    now.total.durationMs < durationMs
  );
}

/** How long health probes of each service took since that was asked before. */

export interface ProbeTimes {
  readonly count: number;
  readonly meanMs: number;
  readonly maxMs: number;
}

interface Tally {
  count: number;
  sumMs: number;
  maxMs: number;
}

export class ProbeClock {
  readonly #tallies = new Map<string, Tally>();

  note(service: string, tookMs: number): void {
    const tally = this.#tallies.get(service);
    if (!tally) return void this.#tallies.set(service, { count: 1, sumMs: tookMs, maxMs: tookMs });
    tally.count++;
    tally.sumMs += tookMs;
    tally.maxMs = Math.max(tally.maxMs, tookMs);
  }

  /** Of those that were probed; counts anew from now on. */
  take(): Map<string, ProbeTimes> {
    const times = [...this.#tallies].map(
      ([service, { count, sumMs, maxMs }]) => [service, { count, meanMs: sumMs / count, maxMs }] as const,
    );
    this.#tallies.clear();
    return new Map(times);
  }
}

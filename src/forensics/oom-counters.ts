/**
 * How often the kernel has killed somebody for memory in the control groups of attempts, and when. The kernel only counts: without
 * its log, a kill of hours ago, or one that explains another end, would be taken for the reason of this one.
 */
import { readKills, type MemoryGroup } from '../system/index.js';

const PERIOD_MS = 10_000;
/** A counter that was read so shortly before an end may have counted it already. */
const EARLIER_MS = 1000;

interface Reading {
  readonly at: number;
  readonly kills: number;
}

export class OomCounters {
  /** Of the last two periods, oldest first, by the file of the counter. */
  readonly #readings = new Map<string, readonly Reading[]>();
  /** Up to where it has explained ends, by the file of the counter. */
  readonly #spent = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  watch({ counter, kills }: MemoryGroup): void {
    if (!this.#readings.has(counter)) this.#readings.set(counter, [{ at: Date.now(), kills }]);
    this.#timer ??= setInterval(() => this.#read(), PERIOD_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#readings.clear();
  }

  /** How many that explain no other end, shortly before this one; undefined: it cannot be read. Wall clock, milliseconds. */
  killsBefore({ counter, kills: first }: MemoryGroup, endedAt: number): number | undefined {
    const now = readKills(counter);
    if (now === undefined) return undefined;
    return now - this.#baseOf({ counter, kills: first }, endedAt, now);
  }

  /** One of them explains this end. */
  spend(group: Pick<MemoryGroup, 'counter' | 'kills'>, endedAt: number): void {
    const now = readKills(group.counter) ?? Infinity;
    this.#spent.set(group.counter, this.#baseOf(group, endedAt, now) + 1);
  }

  #baseOf({ counter, kills }: Pick<MemoryGroup, 'counter' | 'kills'>, endedAt: number, now: number): number {
    const before = this.#readings.get(counter)?.findLast(({ at }) => at < endedAt - EARLIER_MS)?.kills;
    const spent = this.#spent.get(counter) ?? 0;
    // A group of the same name may be another one by now, which counts from zero.
    return Math.max(kills, before ?? kills, spent > now ? 0 : spent);
  }

  #read(): void {
    const at = Date.now();
    for (const [counter, readings] of this.#readings) {
      const kills = readKills(counter);
      if (kills === undefined) this.#readings.delete(counter);
      else this.#readings.set(counter, [...readings.slice(-1), { at, kills }]);
    }
    if (this.#readings.size === 0) this.end();
  }
}

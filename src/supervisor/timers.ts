import type { Clock, Timer } from '../system/index.js';

/** Timers by name: a new one replaces the one of the same name. */
export class Timers<Name extends string> {
  readonly #clock: Clock;
  readonly #timers = new Map<Name, Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `at` is monotonic. */
  set(name: Name, at: number, call: () => void): void {
    this.#timers.get(name)?.cancel();
    this.#timers.set(name, this.#clock.at(at, call));
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}

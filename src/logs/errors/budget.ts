/** So much of a processor, on average; what was saved may be spent at once, up to a bound. */

const SHARE = 0.05;
const MAX_SAVED_MS = 400;

export class Budget {
  #savedMs = MAX_SAVED_MS;
  #filledAt = performance.now();
  #begunMs: number | undefined;

  begin(): void {
    const now = performance.now();
    this.#savedMs = Math.min(MAX_SAVED_MS, this.#savedMs + (now - this.#filledAt) * SHARE);
    this.#filledAt = now;
    this.#begunMs = usedMs();
  }

  has(): boolean {
    return this.#savedMs - this.#spentMs() > 0;
  }

  end(): void {
    this.#savedMs -= this.#spentMs();
    this.#begunMs = undefined;
  }

  /** Until there is enough for a while. */
  waitMs(): number {
    return this.#savedMs > 0 ? 0 : 100 - this.#savedMs / SHARE;
  }

  #spentMs(): number {
    return this.#begunMs === undefined ? 0 : usedMs() - this.#begunMs;
  }
}

/** Of the processor, not of the clock: on a busy machine the two are not the same. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

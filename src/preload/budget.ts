/** For words of which an application may cause any number: the journal of its attempt has to hold them. */
import { now } from './timers.js';

export class Budget {
  private readonly size: number;
  private readonly everyMs: number;
  private readonly clock: () => number;
  private left: number;
  private since: number;

  /** `size` at once, and from then on one more in each `everyMs`. */
  constructor(size: number, everyMs: number, clock: () => number = now) {
    this.size = size;
    this.everyMs = everyMs;
    this.clock = clock;
    this.left = size;
    this.since = clock();
  }

  /** False: it is used up. */
  take(): boolean {
    const at = this.clock();
    this.left = Math.min(this.size, this.left + (at - this.since) / this.everyMs);
    this.since = at;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}

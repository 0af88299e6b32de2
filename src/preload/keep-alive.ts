/** Keeps the process alive in place of a handle that does not listen, for as long as that would. */
import { clearInterval, setInterval } from './timers.js';

const FOREVER_MS = 2 ** 30;

export class KeepAlive {
  private readonly timer = setInterval(() => undefined, FOREVER_MS);

  ref(): void {
    this.timer.ref();
  }

  unref(): void {
    this.timer.unref();
  }

  end(): void {
    clearInterval(this.timer);
  }
}

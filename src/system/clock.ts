/** Monotonic for every decision, wall clock for display only. Passed in, so that tests own the time. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** For display. */
  wall(): Date;
  /** Calls once, at the monotonic time given. */
  at(time: number, call: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Longer delays overflow Node's timer and would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => new Date(),
  at: (time, call) => {
    const delay = Math.min(Math.max(0, time - performance.now()), MAX_DELAY_MS);
    const timeout = setTimeout(call, delay);
    return { cancel: () => clearTimeout(timeout) };
  },
};

import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 20_000;
const LOOK_AGAIN_MS = 15;

export type Sight<T> = T | undefined | false | Promise<T | undefined | false>;

/** Looks until there is something to see, and answers it; `what` completes "waited in vain until …". */
export async function until<T>(what: string, look: () => Sight<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`Waited ${deadlineMs / 1000} s in vain until ${what}`);
    await delay(LOOK_AGAIN_MS);
  }
}

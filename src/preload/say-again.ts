/** Says something again and again, as long as somebody listens. */
import { setTimeout } from './timers.js';

const wallNow = Date.now;
const { pid } = process;
/** Of the time between two: a process says it so much earlier than the multiple, at least and at most. Not all of them at once. */
const [LEAST_LEAD, MOST_LEAD] = [0.05, 0.3];
const LEADS = 64;

/** Shortly before each multiple of `everyMs` by the wall clock, so that who looks then has it fresh. `say`: whether it was heard. */
export function sayAgain(everyMs: number, say: () => boolean): void {
  const leadMs = everyMs * (LEAST_LEAD + ((MOST_LEAD - LEAST_LEAD) * (pid % LEADS)) / LEADS);
  const plan = () => {
    const leftMs = everyMs - ((wallNow() + leadMs) % everyMs);
    // A timer may be early by a hair.
    const delayMs = leftMs < everyMs / 4 ? leftMs + everyMs : leftMs;
    setTimeout(() => {
      if (say()) plan();
    }, delayMs).unref();
  };
  plan();
}

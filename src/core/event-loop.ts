/**
 * Decides whether an event loop that does not answer hangs. What counts is only time in which it could have answered: not
 * while the daemon itself was late, as on a machine that was suspended or starved, not while the process was stopped, and on
 * a busy machine no more than it was given of a processor.
 */
export interface LoopSilence {
  /** For how long it could have answered, and did not. */
  readonly fairMs: number;
  /** How long it ran meanwhile. */
  readonly cpuMs: number;
}

/** What was seen since the last look. */
export interface LoopLook {
  readonly elapsedMs: number;
  /** How long it should have been until this look. */
  readonly plannedMs: number;
  /** Of the main thread: how long it ran, and how long it waited for a processor. */
  readonly cpuMs: number;
  readonly queuedMs: number;
  /** By SIGSTOP, or a debugger. */
  readonly isStopped: boolean;
}

/** `busy`: it runs and never comes back to the event loop. `blocked`: it waits for something else. */
export type LoopVerdict = 'answering' | 'busy' | 'blocked';

export const UNHEARD: LoopSilence = { fairMs: 0, cpuMs: 0 };

/** So much later than planned, and the daemon was not there to hear an answer: a factor, and beside it what a busy machine does. */
const LATE = 1.5;
const LATE_MS = 250;
/** Who waits for a processor for more of the time than this is given too little of it. */
const STARVED = 0.5;
/** Who runs for so much of the time is busy. */
const BUSY = 0.5;

export function stillSilent(silence: LoopSilence, look: LoopLook): LoopSilence {
  return {
    fairMs: silence.fairMs + fairMs(look),
    cpuMs: silence.cpuMs + (isFair(look) ? Math.min(look.cpuMs, fairMs(look)) : 0),
  };
}

export function judgeSilence({ fairMs: silentMs, cpuMs }: LoopSilence, limitMs: number): LoopVerdict {
  if (silentMs < limitMs) return 'answering';
  return cpuMs >= silentMs * BUSY ? 'busy' : 'blocked';
}

function fairMs(look: LoopLook): number {
  if (!isFair(look)) return 0;
  // A little late is the fault of the daemon, too.
  const planned = Math.min(look.elapsedMs, look.plannedMs);
  return look.queuedMs > look.elapsedMs * STARVED ? Math.min(look.cpuMs, planned) : planned;
}

function isFair({ elapsedMs, plannedMs, isStopped }: LoopLook): boolean {
  return !isStopped && elapsedMs <= plannedMs * LATE + LATE_MS;
}

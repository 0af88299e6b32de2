/**
 * Pings the event loops of an attempt's Node processes, those that have a control socket, and tells which one hangs. Nothing
 * is to be done in the application: the preload answers.
 */
import {
  judgeSilence,
  stillSilent,
  UNHEARD,
  type LoopLook,
  type LoopSilence,
  type LoopVerdict,
} from '../../core/index.js';
import { readProcess, readProcessorTime, waitsForEvents, type ProcessorTime } from '../../system/index.js';
import { ping, type Ping } from './ping.js';

export interface Speaker {
  readonly pid: number;
  /** Of its control socket. */
  readonly path: string;
}

export interface Hang {
  readonly pid: number;
  readonly how: Exclude<LoopVerdict, 'answering'>;
}

export interface EventLoopObserver {
  onHang(hang: Hang): void;
  /** One that was told to hang answers again, or has ended. */
  onBack(pid: number): void;
}

export interface EventLoopSetup {
  readonly limitMs: number;
  readonly speakers: () => readonly Speaker[];
  readonly observer: EventLoopObserver;
}

/** So many looks make up the limit. */
const LOOKS = 6;
/** One ping in so many looks: 20 a second for 300 services. */
const LOOKS_A_PING = 3;
/** A ping costs 0.4 ms, a look at an idle process 0.03 ms; in vain it is idle where a child is waited for by execSync(). */
const ROUNDS_A_PING_IF_IDLE = 4;

interface Loop {
  readonly ping: Ping;
  silence: LoopSilence;
  seen: ProcessorTime | undefined;
  isHanging: boolean;
}

export class EventLoopWatch {
  readonly #setup: EventLoopSetup;
  /** Those that have been asked, and have not answered. */
  readonly #silent = new Map<number, Loop>();
  /** How many handlers of its own each process has for SIGUSR1, as it said last. */
  readonly #handlers = new Map<number, number>();
  readonly #lookMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** Since the last ping. */
  #looks = 0;
  #isResting = false;
  #rounds = 0;

  constructor(setup: EventLoopSetup) {
    this.#setup = setup;
    this.#lookMs = setup.limitMs / LOOKS;
    this.wake();
  }

  /** There may be somebody to ask; as long as there is nobody, nothing is done. */
  wake(): void {
    if (this.#timer || this.#setup.speakers().length === 0) return;
    this.#pingAll();
    this.#plan(this.#lookMs);
  }

  /** It has said that SIGUSR1 opens its inspector, and does nothing else. */
  canBeInspected(pid: number): boolean {
    return this.#handlers.get(pid) === 0;
  }

  isHanging(pid: number): boolean {
    return this.#silent.get(pid)?.isHanging ?? false;
  }

  /** Resolves when it answers what it was asked, or has ended. */
  async untilAnswered(pid: number): Promise<void> {
    await this.#silent.get(pid)?.ping.answer;
  }

  end(): void {
    clearTimeout(this.#timer);
    for (const { ping: asked } of this.#silent.values()) asked.end();
    this.#silent.clear();
  }

  #plan(delayMs: number): void {
    const plannedAt = performance.now();
    this.#timer = setTimeout(() => {
      const time = { elapsedMs: performance.now() - plannedAt, plannedMs: delayMs };
      for (const [pid, loop] of this.#silent) this.#lookAt(pid, loop, time);
      this.#goOn();
    }, delayMs);
  }

  /** Where all have answered the next look is the next ping. */
  #goOn(): void {
    this.#looks = this.#silent.size === 0 ? LOOKS_A_PING : this.#looks + 1;
    if (this.#looks < LOOKS_A_PING) return this.#plan(this.#lookMs);
    const hasRested = this.#silent.size > 0 || this.#isResting;
    this.#isResting = !hasRested;
    if (!hasRested) return this.#plan(this.#lookMs * (LOOKS_A_PING - 1));
    this.#looks = 0;
    this.#pingAll();
    this.#plan(this.#lookMs);
  }

  #lookAt(pid: number, loop: Loop, time: Pick<LoopLook, 'elapsedMs' | 'plannedMs'>): void {
    const before = loop.seen;
    const seen = readProcessorTime(pid);
    loop.seen = seen;
    if (!before || !seen || loop.isHanging) return;
    const state = readProcess(pid)?.state;
    loop.silence = stillSilent(loop.silence, {
      ...time,
      cpuMs: seen.cpuMs - before.cpuMs,
      queuedMs: seen.queuedMs - before.queuedMs,
      isStopped: state === 'T' || state === 't',
    });
    const how = judgeSilence(loop.silence, this.#setup.limitMs);
    if (how === 'answering') return;
    loop.isHanging = true;
    this.#setup.observer.onHang({ pid, how });
  }

  #pingAll(): void {
    const isDue = this.#rounds++ % ROUNDS_A_PING_IF_IDLE === 0;
    for (const speaker of this.#setup.speakers()) {
      const { pid } = speaker;
      const isIdle = !isDue && this.#handlers.has(pid) && waitsForEvents(pid);
      if (!isIdle && !this.#silent.has(pid)) void this.#ping(speaker);
    }
  }

  async #ping({ pid, path }: Speaker): Promise<void> {
    const asked = ping(path);
    const loop: Loop = { ping: asked, silence: UNHEARD, seen: readProcessorTime(pid), isHanging: false };
    this.#silent.set(pid, loop);
    const answer = await asked.answer;
    if (this.#silent.get(pid) !== loop) return; // the watch is over
    this.#silent.delete(pid);
    if (answer) this.#handlers.set(pid, answer.handlers);
    else this.#handlers.delete(pid);
    if (loop.isHanging) this.#setup.observer.onBack(pid);
  }
}

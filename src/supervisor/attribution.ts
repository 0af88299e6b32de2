/** Remembers who wanted an attempt to end, and by which signal, so that its exit is put down to the right one. */
import type { ExitError } from '../protocol/index.js';
import { signalName } from '../system/index.js';
import type { AttemptExit } from './exit.js';

/** Signals by which somebody asks a process to end, and that it may answer by ending in order. */
const REQUESTS: readonly string[] = ['SIGTERM', 'SIGINT'];
const ANSWER_MS = 60_000;

interface Ended {
  readonly exit: AttemptExit;
  readonly at: Date;
  /** What it crashed by. */
  readonly error: ExitError | null;
}

interface Sent {
  readonly who: string | null;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
}

export class Attribution {
  #askedBy: string | null = null;
  readonly #signals = new Map<string, Sent>();

  /** Somebody wants the present attempt to end. */
  ask(who: string): void {
    this.#askedBy = who;
  }

  /** It was sent a signal, by whoever asked last unless somebody else is named. */
  sent(signal: string, at: Date, who: string | null = this.#askedBy): void {
    this.#signals.set(signal, { who, at: at.getTime() });
  }

  /** null: nobody that upkeep knows of. A signal that upkeep did not send is not put down to a stop that it asked for. */
  whoEnded({ exit, at, error }: Ended): string | null {
    if (exit.kind === 'signalled') return this.#signals.get(signalName(exit.signal))?.who ?? null;
    return this.#askedBy ?? (error ? null : this.#whoRequested(at.getTime()));
  }

  /** Of one that has ended by itself: who sent it the signal that it answered. */
  #whoRequested(endedAt: number): string | null {
    const requests = REQUESTS.map((signal) => this.#signals.get(signal));
    return requests.find((sent) => sent && endedAt - sent.at < ANSWER_MS)?.who ?? null;
  }

  /** What it was sent, in order. */
  get signals(): readonly string[] {
    return [...this.#signals.keys()];
  }

  /** For the daemon that comes after this one. */
  note(): string {
    return JSON.stringify({ askedBy: this.#askedBy, signals: [...this.#signals] });
  }

  /** What a former daemon had noted. */
  restore(note: string): void {
    try {
      const { askedBy, signals } = JSON.parse(note) as {
        askedBy: string | null;
        /** Of former versions, who has sent it alone. */
        signals: [string, Sent | string | null][];
      };
      this.#askedBy = askedBy;
      for (const [signal, sent] of signals)
        this.#signals.set(signal, typeof sent === 'object' && sent !== null ? sent : { who: sent, at: 0 });
    } catch {
      // cut off with its daemon, or of a later version
    }
  }

  /** A new attempt begins. */
  reset(): void {
    this.#askedBy = null;
    this.#signals.clear();
  }
}

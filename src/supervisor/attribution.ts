/** Remembers who wanted an attempt to end, and by which signal, so that its exit is put down to the right one. */
import { signalName } from '../system/index.js';
import type { AttemptExit } from './exit.js';

export class Attribution {
  #askedBy: string | null = null;
  readonly #signals = new Map<string, string | null>();

  /** Somebody wants the present attempt to end. */
  ask(who: string): void {
    this.#askedBy = who;
  }

  /** It was sent a signal, by whoever asked last unless somebody else is named. */
  sent(signal: string, who: string | null = this.#askedBy): void {
    this.#signals.set(signal, who);
  }

  /** null: nobody that upkeep knows of. A signal that upkeep did not send is not put down to a stop that it asked for. */
  whoEnded(exit: AttemptExit): string | null {
    return exit.kind === 'signalled' ? (this.#signals.get(signalName(exit.signal)) ?? null) : this.#askedBy;
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
        signals: [string, string | null][];
      };
      this.#askedBy = askedBy;
      for (const [signal, who] of signals) this.#signals.set(signal, who);
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

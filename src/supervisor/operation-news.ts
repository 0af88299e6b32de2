/** Tells whoever follows an operation how it gets on. */
import type { OperationView } from '../protocol/index.js';
import { hasEnded } from './operation.js';

/** A hundred steps at a time are one piece of news. */
const PROGRESS_MS = 50;

type Listener = (view: OperationView) => void;

export class OperationNews {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #progressed = new Map<string, OperationView>();

  /** Answers how to end it. */
  follow(id: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  /** Ends are told at once, progress at most every `PROGRESS_MS`. */
  tell(view: OperationView): void {
    if (hasEnded(view)) {
      this.#progressed.delete(view.id);
      return this.#spread(view);
    }
    if (this.#progressed.size === 0) setTimeout(() => this.#tellProgress(), PROGRESS_MS);
    this.#progressed.set(view.id, view);
  }

  #tellProgress(): void {
    for (const view of this.#progressed.values()) this.#spread(view);
    this.#progressed.clear();
  }

  #spread(view: OperationView): void {
    for (const listener of [...(this.#listeners.get(view.id) ?? [])]) listener(view);
  }
}

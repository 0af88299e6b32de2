/** Tells whoever follows a release how it gets on. */
import type { ReleaseView } from '../protocol/index.js';

type Listener = (view: ReleaseView) => void;

export class Followers {
  readonly #listeners = new Map<string, Set<Listener>>();

  /** Answers how to end it. */
  add(id: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
  }

  tell(view: ReleaseView): void {
    for (const listener of [...(this.#listeners.get(view.id) ?? [])]) listener(view);
  }
}

/**
 * Keeps servers out until they are let in again. A reload makes a new HAProxy, and without a server-state-file that one begins with
 * every server ready: what was taken out would be asked in the middle of its release.
 */
import type { Timer } from '../../system/index.js';
import type { Backend } from './backend.js';
import type { TrafficOptions } from './traffic.js';

const LOOK_MS = 100;

interface Kept {
  readonly places: readonly Backend[];
  readonly mode: 'drain' | 'maint';
  /** Places that did not answer, and were told of. */
  readonly silent: Set<Backend>;
}

export class KeepOut {
  readonly #options: TrafficOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #never = new AbortController();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  begin(service: string, places: readonly Backend[], mode: Kept['mode']): void {
    const kept = places.map((place) => place.forGood(this.#never.signal));
    this.#kept.set(service, { places: kept, mode, silent: new Set() });
    this.#timer ??= this.#lookLater();
  }

  /** Resolves when nobody does anything about it any more. */
  async end(service: string): Promise<void> {
    this.#kept.delete(service);
    await this.#looking;
  }

  close(): void {
    this.#kept.clear();
    this.#timer?.cancel();
    this.#never.abort();
  }

  #lookLater(): Timer {
    const { clock } = this.#options;
    return clock.at(clock.now() + LOOK_MS, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const looks = [...this.#kept].flatMap(([service, kept]) =>
      kept.places.map((place) => this.#lookAt(service, kept, place)),
    );
    await Promise.all(looks);
    this.#timer = this.#kept.size > 0 ? this.#lookLater() : undefined;
  }

  async #lookAt(service: string, kept: Kept, place: Backend): Promise<void> {
    const { onProgress } = this.#options;
    const isKept = (): boolean => this.#kept.get(service) === kept;
    try {
      const { mode } = await place.view();
      kept.silent.delete(place);
      if (mode !== 'ready' || !isKept()) return;
      await place.set(`state ${kept.mode}`);
      onProgress(
        `${place.socket.name} had forgotten that ${place.server.backend}/${place.server.name} is out`,
      );
    } catch (error) {
      // It is asked again in a moment; whoever is down sends nobody here.
      if (!isKept() || kept.silent.has(place)) return;
      kept.silent.add(place);
      onProgress((error as Error).message);
    }
  }
}

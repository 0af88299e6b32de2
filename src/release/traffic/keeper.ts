/**
 * Keeps servers as they were set. A reload makes a new HAProxy, which knows what the configuration says, or what stood in a server-state-file
 * a moment before: who is out would be asked in the middle of its release, and who came back in that moment would stay out for good.
 */
import type { Timer } from '../../system/index.js';
import type { Backend } from './backend.js';
import type { TrafficOptions } from './traffic.js';

const LOOK_MS = 100;

/** `share`: percent of its weight. */
export type Wish = { readonly mode: 'drain' | 'maint' } | { readonly mode: 'ready'; readonly share: number };

interface Kept {
  readonly place: Backend;
  readonly wish: Wish;
  /** The process that was told. */
  worker: string;
  /** Somebody has set it otherwise by hand. */
  isLeft: boolean;
  /** It did not answer, and that was told. */
  isSilent: boolean;
}

export class Keeper {
  readonly #options: TrafficOptions;
  readonly #kept = new Map<string, readonly Kept[]>();
  readonly #never = new AbortController();
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** `workers`: of each place, who was told. */
  begin(service: string, places: readonly Backend[], wish: Wish, workers: readonly string[] = []): void {
    const kept = places.map((place, at) => ({
      place: place.forGood(this.#never.signal),
      wish,
      worker: workers[at] ?? '',
      isLeft: false,
      isSilent: false,
    }));
    this.#kept.set(service, kept);
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
    const looks = [...this.#kept].flatMap(([service, all]) => all.map((kept) => this.#lookAt(service, kept)));
    await Promise.all(looks);
    this.#timer = this.#kept.size > 0 ? this.#lookLater() : undefined;
  }

  async #lookAt(service: string, kept: Kept): Promise<void> {
    const { onProgress } = this.#options;
    try {
      const { wish } = kept;
      const isForgotten = wish.mode === 'ready' ? isOutAgain(kept, wish.share) : isInAgain(kept);
      if ((await isForgotten) && this.#isKept(service, kept)) await this.#setAgain(kept);
      kept.isSilent = false;
    } catch (error) {
      // It is asked again in a moment; whoever is down sends nobody here.
      if (!this.#isKept(service, kept) || kept.isSilent) return;
      kept.isSilent = true;
      onProgress((error as Error).message);
    }
  }

  #isKept(service: string, kept: Kept): boolean {
    return this.#kept.get(service)?.includes(kept) ?? false;
  }

  async #setAgain({ place, wish }: Kept): Promise<void> {
    if (wish.mode === 'ready') await place.set(`weight ${wish.share}%`);
    await place.set(`state ${wish.mode}`);
    const { backend, name } = place.server;
    const what = wish.mode === 'ready' ? `in, with ${wish.share} % of its weight` : 'out';
    this.#options.onProgress(`${place.socket.name} had forgotten that ${backend}/${name} is ${what}`);
  }
}

async function isInAgain({ place }: Kept): Promise<boolean> {
  return (await place.view()).mode === 'ready';
}

/** By a reload: whoever sets it otherwise by hand means it. */
async function isOutAgain(kept: Kept, share: number): Promise<boolean> {
  const { place, worker: told } = kept;
  if (kept.isLeft) return false;
  const before = await place.worker();
  const { mode, userWeight, initialWeight } = await place.view();
  const isAsSet = mode === 'ready' && userWeight === Math.floor((initialWeight * share) / 100);
  // Another one may have answered in between.
  kept.worker = isAsSet ? before : await place.worker();
  kept.isLeft = !isAsSet && kept.worker === told;
  return !isAsSet && kept.worker !== told;
}

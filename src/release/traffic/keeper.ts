/**
 * Keeps servers as they were set. A reload makes a new HAProxy, which knows what the configuration says, or what stood in a server-state-file
 * a moment before: who is out would be asked in the middle of its release, and who came back in that moment would stay out for good.
 */
import type { Timer } from '../../system/index.js';
import type { Backend } from './backend.js';
import type { TrafficOptions } from './traffic.js';
import { toNumber, wordWeight, type Weight } from './weight.js';

const LOOK_MS = 100;
/** When nobody waits for it any more. */
const ALONE_LOOK_MS = 1000;

export type Wish = { readonly mode: 'drain' | 'maint' } | { readonly mode: 'ready'; readonly weight: Weight };

export interface ToKeep {
  readonly place: Backend;
  readonly wish: Wish;
  /** The process that was told to let it in; undefined: none was, so that is done as soon as it answers. */
  readonly worker?: string | undefined;
}

interface Kept extends ToKeep {
  worker: string | undefined;
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
  #isAlone = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  begin(service: string, toKeep: readonly ToKeep[]): void {
    const kept = toKeep.map(({ place, wish, worker }) => ({
      place: place.forGood(this.#never.signal),
      wish,
      worker,
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

  /** Who was to come in, and was not told, still is; nobody else is kept as he is. */
  leave(): void {
    this.#isAlone = true;
    this.#keepUntold();
    if (this.#kept.size === 0) this.close();
  }

  owes(service: string): boolean {
    return this.#kept.get(service)?.some(isUntold) ?? false;
  }

  close(): void {
    this.#kept.clear();
    this.#timer?.cancel();
    this.#never.abort();
  }

  #lookLater(): Timer {
    const { clock } = this.#options;
    return clock.at(clock.now() + (this.#isAlone ? ALONE_LOOK_MS : LOOK_MS), () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const looks = [...this.#kept].flatMap(([service, all]) => all.map((kept) => this.#lookAt(service, kept)));
    await Promise.all(looks);
    if (this.#isAlone) this.#keepUntold();
    this.#timer = this.#kept.size > 0 ? this.#lookLater() : undefined;
  }

  async #lookAt(service: string, kept: Kept): Promise<void> {
    const { onProgress } = this.#options;
    try {
      const { wish } = kept;
      const { isForgotten, worker } =
        wish.mode === 'ready' ? await findReady(kept, wish.weight) : await findOut(kept);
      if (isForgotten && this.#isKept(service, kept)) await this.#setAgain(kept);
      kept.worker = worker;
      kept.isSilent = false;
    } catch (error) {
      // It is asked again in a moment; whoever is down sends nobody here.
      if (!this.#isKept(service, kept) || kept.isSilent) return;
      kept.isSilent = true;
      onProgress((error as Error).message);
    }
  }

  #keepUntold(): void {
    for (const [service, all] of this.#kept) {
      const untold = all.filter(isUntold);
      if (untold.length > 0) this.#kept.set(service, untold);
      else this.#kept.delete(service);
    }
  }

  #isKept(service: string, kept: Kept): boolean {
    return this.#kept.get(service)?.includes(kept) ?? false;
  }

  async #setAgain({ place, wish, worker }: Kept): Promise<void> {
    if (wish.mode === 'ready') await place.set(`weight ${wish.weight}`);
    await place.set(`state ${wish.mode}`);
    const { backend, name } = place.server;
    const what = wish.mode === 'ready' ? `in, with ${wordWeight(wish.weight)}` : 'out';
    const isFirst = wish.mode === 'ready' && worker === undefined;
    const how = isFirst ? 'is told at last' : 'had forgotten';
    this.#options.onProgress(`${place.socket.name} ${how} that ${backend}/${name} is ${what}`);
  }
}

function isUntold({ wish, worker }: Kept): boolean {
  return wish.mode === 'ready' && worker === undefined;
}

interface Found {
  readonly isForgotten: boolean;
  readonly worker: string | undefined;
}

async function findOut({ place, worker }: Kept): Promise<Found> {
  return { isForgotten: (await place.view()).mode === 'ready', worker };
}

/** By a reload: whoever sets it otherwise by hand means it. */
async function findReady(kept: Kept, weight: Weight): Promise<Found> {
  const { place, worker: told } = kept;
  if (kept.isLeft) return { isForgotten: false, worker: told };
  const before = await place.worker();
  const { mode, userWeight, initialWeight } = await place.view();
  const isAsSet = mode === 'ready' && userWeight === toNumber(weight, initialWeight);
  // Another one may have answered in between.
  const worker = isAsSet ? before : await place.worker();
  kept.isLeft = !isAsSet && worker === told;
  return { isForgotten: !isAsSet && worker !== told, worker };
}

/**
 * Replaces the instances of a service one after the other. A new one is started beside the old one, has to become ready,
 * to answer what `verify` asks and to live for a while, all without traffic; only then it joins the accept queue and the
 * old one drains. Whatever fails before that ends the new one, and the old one has noticed nothing.
 */
import { nextReplacements, type Begin, type SlotState } from '../core/index.js';
import type { ServiceSpec } from '../protocol/index.js';
import type { Instance } from './instance.js';
import type { Service } from './service.js';
import { inheritance } from './service-sockets.js';
import { Trial } from './trial.js';

export interface RolloutWish {
  /** What the new instances are instances of. */
  readonly spec: ServiceSpec;
  readonly askedBy: string;
  readonly operation: string;
  readonly signal: AbortSignal;
  /** What runs is described by another one. */
  readonly isNewDescription: boolean;
  /** These are new already. */
  isDone(instance: Instance): boolean;
  onProgress(text: string): void;
}

export class Rollout {
  readonly #service: Service;
  readonly #wish: RolloutWish;
  readonly #slots: SlotState[];
  readonly #canSurge: boolean;
  #failure: Error | undefined;

  constructor(service: Service, wish: RolloutWish) {
    this.#service = service;
    this.#wish = wish;
    this.#slots = service.instances.map((instance) => (wish.isDone(instance) ? 'done' : 'old'));
    this.#canSurge = whyNoSurge(service, wish.spec) === undefined;
  }

  /** Indices of the instances that were replaced. */
  get done(): number[] {
    return this.#slots.flatMap((slot, index) => (slot === 'done' ? [index] : []));
  }

  async run(): Promise<void> {
    const { spec, signal } = this.#wish;
    const { maxSurge, maxUnavailable } = spec.reload;
    const policy = this.#canSurge
      ? { maxSurge, maxUnavailable }
      : { maxSurge: 0, maxUnavailable: Math.max(1, maxUnavailable) };
    const running = new Set<Promise<void>>();
    for (;;) {
      const begun = signal.aborted ? [] : nextReplacements(this.#slots, policy);
      for (const begin of begun) {
        const replaced = this.#replace(begin).finally(() => running.delete(replaced));
        running.add(replaced);
      }
      if (running.size === 0) break;
      await Promise.race(running);
    }
    if (this.#failure !== undefined) throw this.#failure;
    // Where nothing was left to be given up, an abort comes too late to count.
    if (this.#slots.some((slot) => slot !== 'done')) signal.throwIfAborted();
  }

  async #replace({ index, how }: Begin): Promise<void> {
    this.#slots[index] = how === 'surge' ? 'surging' : 'swapping';
    try {
      await (how === 'surge' ? this.#surge(index) : this.#swap(index));
      this.#slots[index] = 'done';
    } catch (error) {
      this.#slots[index] = 'failed';
      this.#failure ??= error as Error;
    }
  }

  async #surge(index: number): Promise<void> {
    const { spec, askedBy, operation } = this.#wish;
    const candidate = this.#service.addCandidate(index, spec);
    let old: Instance;
    try {
      this.#tell(index, 'starting');
      candidate.start(operation);
      const trial = this.#trial(candidate);
      await trial.pass();
      old = await this.#service.promote(candidate).catch((cause: unknown) => {
        throw trial.failure((cause as Error).message);
      });
    } catch (error) {
      await this.#service.dismiss(candidate, 'upkeep: it was not fit to take over');
      throw error;
    }
    this.#tell(index, 'draining the old one');
    await this.#service.dismiss(old, askedBy);
  }

  /** Where two cannot live side by side: the old one goes first. */
  async #swap(index: number): Promise<void> {
    const { spec, operation } = this.#wish;
    this.#tell(index, 'stopping the old one');
    await this.#stop(index);
    const fresh = this.#service.replace(index, spec);
    try {
      this.#tell(index, 'starting');
      fresh.start(operation);
      await this.#trial(fresh).pass();
    } catch (error) {
      if (this.#wish.isNewDescription) await this.#putBack(index);
      throw error;
    }
  }

  async #stop(index: number): Promise<void> {
    const instance = this.#service.instances[index]!;
    instance.stop(this.#wish.askedBy);
    await this.#service.until(() => instance.isAtRest);
  }

  async #putBack(index: number): Promise<void> {
    this.#tell(index, 'putting the old one back');
    await this.#stop(index);
    this.#service.replace(index, this.#service.spec).start(this.#wish.operation);
  }

  #trial(candidate: Instance): Trial {
    const { spec, signal } = this.#wish;
    return new Trial(candidate, {
      service: this.#service,
      spec,
      stableMs: spec.reload.stableMs,
      signal,
      purpose: 'reload',
      isBeside: this.#canSurge,
      onProgress: (what) => this.#tell(candidate.index, what),
    });
  }

  #tell(index: number, what: string): void {
    const done = this.done.length;
    const total = this.#slots.length;
    this.#wish.onProgress(total === 1 ? what : `instance ${index}: ${what} (${done} of ${total} replaced)`);
  }
}

/** Why a new instance cannot live beside the old one; undefined: it can. */
export function whyNoSurge(service: Service, spec: ServiceSpec): string | undefined {
  const how = inheritance(spec);
  const hasSockets = spec.ports.length > 0 || spec.sockets.paths.length > 0;
  if (how === 'off') return hasSockets ? 'it opens its ports by itself' : undefined;
  const lost = portNotHeld(service, spec, hasSockets);
  if (lost !== undefined) return `upkeep could not get hold of port ${lost}`;
  const isShown = spec.ports.every(({ port }) => service.sockets.isHeld(port));
  return how === 'learn' && hasSockets && !isShown
    ? 'its program has not shown that it inherits sockets'
    : undefined;
}

/** A port that matters and belongs to the process that listens on it. */
function portNotHeld(service: Service, spec: ServiceSpec, hasSockets: boolean): number | undefined {
  const { sockets, instances } = service;
  const opened = instances.flatMap(({ index }) => service.portsOf(index));
  // Others may be of no account: some applications choose a number by themselves, another one at each start.
  if (hasSockets) return opened.find((port) => isDeclared(spec, port) && !sockets.isHeld(port));
  return opened.some((port) => sockets.isHeld(port)) ? undefined : opened[0];
}

function isDeclared({ ports }: ServiceSpec, port: number): boolean {
  return ports.some((each) => each.port === port);
}

/**
 * One service of a group that is switched. Its guests, by the new description, are beside the instances that serve, by index.
 * They are in the service itself, marked in their run folders, so that nothing of it has to be remembered here.
 */
import { isDeepStrictEqual } from 'node:util';
import type { JoiningSide } from '../../core/index.js';
import type { ServiceSpec } from '../../protocol/index.js';
import { withDeadline } from '../../system/index.js';
import { together } from '../../util/index.js';
import type { Instance } from '../instance.js';
import { whyNoSurge } from '../rollout.js';
import type { Service } from '../service.js';
import { inheritance } from '../service-sockets.js';
import type { BootOptions } from '../switchover.js';
import { hasDoneItsWork, Trial, wordEnd } from '../trial.js';
import type { Seen } from './sides.js';
import { wordFallSince } from './until-fallen.js';

export interface SideContext {
  readonly operation: string;
  readonly askedBy: string;
  /** It is not wanted, and stays so. */
  readonly isLeft: boolean;
  onProgress(text: string): void;
  /** Instances by another description come beside those that are known. */
  onGuest(): void;
}

/** How long the first of several guests has to open a port that nobody has shown yet. */
const LEARN_MS = 2000;

export class Side {
  readonly service: Service;
  readonly spec: ServiceSpec;
  readonly #context: SideContext;
  /** Those that were judged, and found good. */
  readonly #fit = new WeakSet<Instance>();
  /** When it began; of new ones, when it was committed. */
  readonly #restarts = new WeakMap<Instance, number>();
  /** The first that it had as the service, of the new ones. */
  readonly #attempts = new WeakMap<Instance, number>();
  #isCommitted = false;
  #stableMs = 0;
  #isCompared = true;

  constructor(service: Service, spec: ServiceSpec, context: SideContext) {
    this.service = service;
    this.spec = spec;
    this.#context = context;
    this.#noteRestarts();
  }

  /** A schedule starts it: the next run is by the new description. */
  get isScheduled(): boolean {
    return Boolean(this.spec.schedule?.run);
  }

  get isLeft(): boolean {
    return this.#context.isLeft;
  }

  /** Why its new instances cannot live beside the old ones; undefined: they can. */
  get whyInstead(): string | undefined {
    return this.service.instances.every(({ isAtRest }) => isAtRest) ? undefined : this.#whyApart;
  }

  /** Whether old and new ones live side by side; also where the old ones have gone. */
  get isBeside(): boolean {
    return this.#whyApart === undefined;
  }

  get joining(): JoiningSide {
    const { name, guests } = this.service;
    const joined = guests.filter(({ role }) => role === 'joined').length;
    const waiting = this.#indices.filter((index) => this.guestAt(index)?.role !== 'joined');
    return { service: name, waiting, joined };
  }

  guestAt(index: number): Instance | undefined {
    return this.service.guests.find((guest) => guest.index === index);
  }

  /** Starts what can live beside the old ones, and judges it. */
  async boot({ stableMs, isCompared, signal }: BootOptions): Promise<void> {
    this.#stableMs = stableMs;
    this.#isCompared = isCompared;
    await this.#sift();
    const missing = this.#indices.filter((index) => !this.guestAt(index));
    if (missing.length === 0 || this.whyInstead !== undefined) return;
    const [first, ...rest] = missing as [number, ...number[]];
    const mayLearn = rest.length > 0 && this.#mayLearn;
    await together(signal, [
      (within) => this.#begin(first, 'new', within),
      ...rest.map((index) => async (within: AbortSignal) => {
        if (mayLearn) await this.#untilShown(first, within);
        await this.#begin(index, 'new', within);
      }),
    ]);
  }

  async join(index: number, signal: AbortSignal): Promise<void> {
    const guest = this.guestAt(index);
    if (!guest) return this.#instead(index, signal);
    this.#context.onProgress(`instance ${index} takes traffic`);
    const fallen = this.#wordFall(guest);
    if (fallen !== undefined) throw this.#trial(guest, signal).failure(fallen, guest.exit);
    if (hasDoneItsWork(guest, this.spec)) guest.role = 'joined';
    else
      await guest.join().catch((cause: unknown) => {
        throw this.#trial(guest, signal).failure((cause as Error).message);
      });
  }

  /** Those of both sides that there are. */
  get seen(): Seen[] {
    const { service } = this;
    const old = this.#isCommitted ? service.all.filter(({ role }) => role === 'old') : service.instances;
    const young = this.#isCommitted ? service.instances : service.guests;
    const see = (instance: Instance, side: Seen['side']): Seen => {
      return { service: service.name, instance, side, restartsBefore: this.#restarts.get(instance) ?? 0 };
    };
    return [...old.map((each) => see(each, 'old')), ...young.map((each) => see(each, 'new'))];
  }

  /** From now on the guests are the service. */
  noteCommitted(): void {
    this.#isCommitted = true;
    this.#noteRestarts();
    for (const instance of this.service.instances) this.#attempts.set(instance, this.#firstSince(instance));
  }

  /** What happened to one of its guests that was fit; after the commit, to one that serves. */
  get fallen(): string | undefined {
    if (this.#isCommitted) return this.#fallenSince;
    for (const guest of this.service.guests) {
      const words = this.#fit.has(guest) ? this.#wordFall(guest) : undefined;
      if (words !== undefined) return `${this.service.name}.${guest.index}: ${words}`;
    }
    return undefined;
  }

  /** By instance: the attempts that a commit lets go. */
  get leaving(): number[] {
    return this.#hasNoGuests ? [] : this.service.instances.map(({ attempt }) => attempt);
  }

  /** The guests are the service from now on. Answers those that are to go. */
  exchange(): readonly Instance[] {
    const { service, spec } = this;
    const { operation } = this.#context;
    if (this.#hasNoGuests) {
      service.propose(undefined);
      service.update(spec);
      if (!this.isLeft) service.arm();
      return [];
    }
    const old = service.exchange(spec, service.guests);
    for (const instance of service.instances)
      if (instance.isAtRest && !hasDoneItsWork(instance, spec)) instance.start(operation);
    return old;
  }

  async dismiss(old: readonly Instance[]): Promise<void> {
    const { service } = this;
    await Promise.all(old.map((instance) => service.dismiss(instance, this.#context.askedBy)));
    // Others may come meanwhile, by a description of their own.
    const isSettled =
      service.guests.length === 0 &&
      service.instances.every(({ spec }) => isDeepStrictEqual(spec, service.spec));
    if (isSettled) service.sockets.prune(service.spec);
  }

  /** The guests go, and the old ones are as they were. */
  async revert(): Promise<void> {
    const { service } = this;
    const { askedBy } = this.#context;
    // Nothing that upkeep holds for the guests is in the way of those that come back: none waits for the slowest guest.
    const isFree = inheritance(this.spec) === 'off';
    const sendAway = async (guest: Instance): Promise<void> => {
      await service.dismiss(guest, askedBy);
      if (isFree) this.restore();
    };
    await Promise.all(service.guests.map(sendAway));
    service.sockets.prune(service.spec);
    this.restore();
  }

  /** Those that were stopped for a guest which is gone. */
  restore(): void {
    if (!this.service.isWanted) return;
    for (const instance of this.service.instances) {
      const guest = this.guestAt(instance.index);
      const isReplaced = guest && (!guest.isAtRest || hasDoneItsWork(guest, this.spec));
      if (instance.status === 'stopped' && !isReplaced) instance.start(this.#context.operation);
    }
  }

  get #hasNoGuests(): boolean {
    return this.isScheduled || this.isLeft;
  }

  get #whyApart(): string | undefined {
    if (this.spec.restart.policy === 'never') return 'a job is done once, not twice side by side';
    return whyNoSurge(this.service, this.spec);
  }

  get #fallenSince(): string | undefined {
    if (this.isLeft) return undefined;
    for (const instance of this.service.instances) {
      const words = wordFallSince(instance, this.#attempts.get(instance) ?? Infinity);
      if (words !== undefined) return `${this.service.name}.${instance.index}: ${words}`;
    }
    return undefined;
  }

  #noteRestarts(): void {
    for (const instance of this.service.instances) this.#restarts.set(instance, instance.restarts);
  }

  /** The commit may be a former daemon's: who has fallen since then may run again. */
  #firstSince({ index, attempt }: Instance): number {
    const { hold } = this.service;
    const isOfThis = hold?.is === 'committed' && hold.operation === this.#context.operation;
    return isOfThis ? (hold.leaving[index] ?? 0) + 1 : attempt;
  }

  get #indices(): number[] {
    return this.#hasNoGuests ? [] : Array.from({ length: this.spec.instances }, (_, index) => index);
  }

  /** Copies of a Node application would fight for a port that nobody has shown. */
  get #mayLearn(): boolean {
    return inheritance(this.spec) === 'node' && !this.service.sockets.isShown;
  }

  /** Lets go of what nobody can vouch for: guests that have ended, or of which a former daemon knew more. */
  async #sift(): Promise<void> {
    for (const guest of this.service.guests) {
      const isGood = this.#fit.has(guest) || guest.role === 'joined';
      if (!isGood || this.#wordFall(guest) !== undefined)
        await this.service.dismiss(guest, 'upkeep: it was not fit to take over');
      // It may have been killed between its word that the guest joins and the guest's joining.
      else if (!this.#fit.has(guest)) await guest.join().then(() => this.#fit.add(guest));
    }
  }

  async #begin(index: number, role: 'new' | 'joined', signal: AbortSignal): Promise<void> {
    const guest = this.service.addCandidate(index, this.spec, role);
    this.#context.onProgress(`instance ${index}: starting`);
    this.#context.onGuest();
    guest.start(this.#context.operation);
    await this.#trial(guest, signal).pass();
    this.#fit.add(guest);
    if (this.#isCompared) await guest.counts(); // from now on its processes count
  }

  async #instead(index: number, signal: AbortSignal): Promise<void> {
    const { service } = this;
    const old = service.instances[index];
    this.#context.onProgress(`instance ${index}: stopping the old one`);
    if (old && !old.isAtRest) old.stop(this.#context.askedBy);
    await service.until(() => !old || old.isAtRest);
    try {
      await this.#begin(index, 'joined', signal);
    } catch (error) {
      const guest = this.guestAt(index);
      if (guest) await service.dismiss(guest, 'upkeep: it was not fit to take over');
      this.restore();
      throw error;
    }
  }

  async #untilShown(index: number, signal: AbortSignal): Promise<void> {
    const { service } = this;
    const isOver = (): boolean => this.guestAt(index)?.isAtRest ?? true;
    const isKnown = (): boolean => service.sockets.isShown || isOver();
    const shown = withDeadline(signal, LEARN_MS, (enough) => service.until(isKnown, enough));
    await shown.catch(() => undefined); // that was it
    signal.throwIfAborted();
  }

  #trial(guest: Instance, signal: AbortSignal): Trial {
    const { service, spec } = this;
    const { index } = guest;
    return new Trial(guest, {
      service,
      spec,
      stableMs: this.#stableMs,
      signal,
      purpose: 'release',
      isBeside: service.instances.some(({ isAtRest }) => !isAtRest),
      onProgress: (what) => this.#context.onProgress(`instance ${index}: ${what}`),
    });
  }

  /** undefined: it is well. */
  #wordFall(guest: Instance): string | undefined {
    if (hasDoneItsWork(guest, this.spec)) return undefined;
    if (guest.isAtRest) return guest.exit ? wordEnd(guest.exit) : 'it ended';
    return guest.whyUnhealthy;
  }
}

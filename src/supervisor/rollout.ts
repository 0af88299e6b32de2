/**
 * Replaces the instances of a service one after the other. A new one is started beside the old one, has to become ready,
 * to answer what `verify` asks and to live for a while, all without traffic; only then it joins the accept queue and the
 * old one drains. Whatever fails before that ends the new one, and the old one has noticed nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { nextReplacements, type Begin, type SlotState } from '../core/index.js';
import { UpkeepError, type ExitView, type ServiceSpec } from '../protocol/index.js';
import { formatDuration } from '../util/index.js';
import { runCheck } from './check.js';
import type { Instance } from './instance.js';
import type { Service } from './service.js';
import { inheritance } from './service-sockets.js';

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

type VerifySpec = NonNullable<ServiceSpec['reload']['verify']>;

const VERIFY_POLL_MS = 200;
/** How long one answer to `verify` may take. */
const VERIFY_ANSWER_MS = 5000;

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
      await this.#untilReady(candidate);
      await this.#judge(candidate, index);
      old = await this.#service.promote(candidate).catch((cause: unknown) => {
        throw this.#failed((cause as Error).message);
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
      await this.#untilReady(fresh);
      await this.#judge(fresh, index);
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

  async #untilReady(candidate: Instance): Promise<void> {
    await this.#service.until(() => this.#hasBecomeReady(candidate), this.#wish.signal);
  }

  #hasBecomeReady(instance: Instance): boolean {
    if (instance.failedStart) throw this.#failed(wordEnd(instance.failedStart), instance.failedStart);
    if (this.#hasDoneItsWork(instance)) return true;
    if (instance.isAtRest) throw this.#failed(instance.exit?.reason ?? 'it ended', instance.exit);
    return instance.status === 'running';
  }

  /** It had something to do, and has done it. */
  #hasDoneItsWork({ status, exit }: Instance): boolean {
    return status === 'completed' && exit?.code === 0 && hasEnd(this.#wish.spec);
  }

  /** Throws where the candidate is not fit to serve. */
  async #judge(candidate: Instance, index: number): Promise<void> {
    if (this.#hasDoneItsWork(candidate)) return;
    const { verify, stableMs } = this.#wish.spec.reload;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#wish.signal]);
    const fallen = this.#untilFallen(candidate, signal);
    let isVerified = verify === null;
    try {
      if (verify) {
        this.#tell(index, 'verifying');
        await Promise.race([this.#verify(candidate, verify, signal), fallen]);
        isVerified = true;
      }
      if (stableMs > 0) {
        this.#tell(index, `watching for ${formatDuration(stableMs)}`);
        await Promise.race([delay(stableMs, undefined, { signal }), fallen]);
      }
      // It is on its way out: it will tell why.
      if (candidate.status !== 'running') await fallen;
    } catch (error) {
      // A delay that is aborted says no more than that.
      this.#wish.signal.throwIfAborted();
      // While it was watched, not before it was verified.
      if (isVerified && this.#hasDoneItsWork(candidate)) return;
      throw error;
    } finally {
      over.abort();
    }
  }

  async #verify(candidate: Instance, verify: VerifySpec, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + verify.timeoutMs;
    for (;;) {
      const leftMs = Math.max(1, Math.ceil(deadline - performance.now()));
      const result = await runCheck(verify.check, candidate.target!, Math.min(VERIFY_ANSWER_MS, leftMs));
      if (result.isSuccess || signal.aborted) return;
      if (performance.now() + VERIFY_POLL_MS >= deadline) {
        const within = formatDuration(verify.timeoutMs);
        const fact = `it was not verified within ${within} (${result.detail})`;
        throw this.#failed(fact, undefined, 'not-verified');
      }
      await delay(VERIFY_POLL_MS, undefined, { signal });
    }
  }

  /** Rejects as soon as the candidate does not run any more. */
  #untilFallen(candidate: Instance, signal: AbortSignal): Promise<never> {
    const fallen = this.#service
      .until(() => candidate.isAtRest, signal)
      .then((): never => {
        const { exit } = candidate;
        throw this.#failed(`${exit ? wordEnd(exit) : 'it ended'} after it was ready`, exit);
      });
    fallen.catch(() => undefined); // whoever races against it looks no longer
    return fallen;
  }

  #failed(
    fact: string,
    exit?: ExitView,
    code: 'start-failed' | 'not-ready' | 'not-verified' = 'start-failed',
  ): UpkeepError {
    const { name } = this.#service;
    const isLate = exit?.askedBy?.includes('not ready within') ?? false;
    const message = fact.startsWith('Cannot ')
      ? fact
      : `Cannot reload "${name}": the new instance failed: ${fact}`;
    const stands = this.#canSurge ? 'the old instance goes on serving; ' : '';
    return new UpkeepError(isLate ? 'not-ready' : code, message, {
      hint: `${stands}all of the output: upkeep logs ${name}`,
      details: { lines: exit?.lastLines ?? [] },
    });
  }

  #tell(index: number, what: string): void {
    const done = this.done.length;
    const total = this.#slots.length;
    this.#wish.onProgress(total === 1 ? what : `instance ${index}: ${what} (${done} of ${total} replaced)`);
  }
}

function hasEnd({ restart }: ServiceSpec): boolean {
  return restart.policy !== 'always' || restart.stopExitCodes.includes(0);
}

/** A late one was ended by upkeep: why says more than how. */
function wordEnd(exit: ExitView): string {
  const { askedBy, reason } = exit;
  return askedBy?.startsWith('upkeep: ') ? askedBy.slice('upkeep: '.length) : reason;
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

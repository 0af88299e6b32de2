/**
 * Judges a new instance before it serves, without traffic: it has to become ready, to answer what `reload.verify` asks, and to
 * live for a while. Reloads and releases ask the same of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { UpkeepError, type ExitView, type ServiceSpec } from '../protocol/index.js';
import { formatDuration } from '../util/index.js';
import { runCheck } from './check.js';
import type { Instance } from './instance.js';
import type { Service } from './service.js';

export interface TrialWish {
  readonly service: Service;
  /** What the candidate is an instance of. */
  readonly spec: ServiceSpec;
  /** How long it has to live, ready and verified. */
  readonly stableMs: number;
  readonly signal: AbortSignal;
  /** What it is new for, as a verb. */
  readonly purpose: 'reload' | 'release';
  /** Whether another one serves in its place, whatever becomes of it. */
  readonly isBeside: boolean;
  onProgress(what: string): void;
}

type VerifySpec = NonNullable<ServiceSpec['reload']['verify']>;

const VERIFY_POLL_MS = 200;
/** How long one answer to `verify` may take. */
const VERIFY_ANSWER_MS = 5000;

export class Trial {
  readonly #candidate: Instance;
  readonly #wish: TrialWish;

  constructor(candidate: Instance, wish: TrialWish) {
    this.#candidate = candidate;
    this.#wish = wish;
  }

  /** Resolves when it is fit to serve; rejects with what it is not fit for. */
  async pass(): Promise<void> {
    await this.#wish.service.until(() => this.#hasBecomeReady(), this.#wish.signal);
    if (!hasDoneItsWork(this.#candidate, this.#wish.spec)) await this.#judge();
  }

  /** What is told where it is not fit. */
  failure(
    fact: string,
    exit?: ExitView,
    code: 'start-failed' | 'not-ready' | 'not-verified' = 'start-failed',
  ): UpkeepError {
    const { service, purpose, isBeside } = this.#wish;
    const isLate = exit?.askedBy?.includes('not ready within') ?? false;
    const message = fact.startsWith('Cannot ')
      ? fact
      : `Cannot ${purpose} "${service.name}": the new instance failed: ${fact}`;
    const stands = isBeside ? 'the old instance goes on serving; ' : '';
    return new UpkeepError(isLate ? 'not-ready' : code, message, {
      hint: `${stands}all of the output: upkeep logs ${service.name}`,
      details: { lines: exit?.lastLines ?? [] },
    });
  }

  #hasBecomeReady(): boolean {
    const { failedStart, isAtRest, exit, status } = this.#candidate;
    if (failedStart) throw this.failure(wordEnd(failedStart), failedStart);
    if (hasDoneItsWork(this.#candidate, this.#wish.spec)) return true;
    if (isAtRest) throw this.failure(exit ? wordEnd(exit) : 'it ended', exit);
    return status === 'running';
  }

  async #judge(): Promise<void> {
    const { spec, stableMs, onProgress } = this.#wish;
    const { verify } = spec.reload;
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#wish.signal]);
    const fallen = this.#untilFallen(signal);
    let isVerified = verify === null;
    try {
      if (verify) {
        onProgress('verifying');
        await Promise.race([this.#verify(verify, signal), fallen]);
        isVerified = true;
      }
      if (stableMs > 0) {
        onProgress(`watching for ${formatDuration(stableMs)}`);
        await Promise.race([delay(stableMs, undefined, { signal }), fallen]);
      }
      // It is on its way out: it will tell why.
      if (this.#candidate.status !== 'running') await fallen;
    } catch (error) {
      // A delay that is aborted says no more than that.
      this.#wish.signal.throwIfAborted();
      // While it was watched, not before it was verified.
      if (isVerified && hasDoneItsWork(this.#candidate, spec)) return;
      throw error;
    } finally {
      over.abort();
    }
  }

  async #verify(verify: VerifySpec, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + verify.timeoutMs;
    let detail: string | undefined;
    for (;;) {
      const leftMs = Math.max(1, Math.ceil(deadline - performance.now()));
      const result = await runCheck(
        verify.check,
        this.#candidate.target!,
        Math.min(VERIFY_ANSWER_MS, leftMs),
      );
      if (result.isSuccess || signal.aborted) return;
      // What the end of the time has cut short says less than what was answered before.
      if (performance.now() < deadline) detail = result.detail;
      if (performance.now() + VERIFY_POLL_MS >= deadline) {
        const within = formatDuration(verify.timeoutMs);
        const fact = `it was not verified within ${within} (${detail ?? result.detail})`;
        throw this.failure(fact, undefined, 'not-verified');
      }
      await delay(VERIFY_POLL_MS, undefined, { signal });
    }
  }

  /** Rejects as soon as the candidate does not run any more. */
  #untilFallen(signal: AbortSignal): Promise<never> {
    const fallen = this.#wish.service
      .until(() => this.#candidate.isAtRest, signal)
      .then((): never => {
        const { exit } = this.#candidate;
        throw this.failure(`${exit ? wordEnd(exit) : 'it ended'} after it was ready`, exit);
      });
    fallen.catch(() => undefined); // whoever races against it looks no longer
    return fallen;
  }
}

/** It had something to do, and has done it. */
export function hasDoneItsWork({ status, exit }: Instance, { restart }: ServiceSpec): boolean {
  const hasEnd = restart.policy !== 'always' || restart.stopExitCodes.includes(0);
  return status === 'completed' && exit?.code === 0 && hasEnd;
}

/** A late one was ended by upkeep: why says more than how. What it crashed by says more than its exit code. */
export function wordEnd({ askedBy, reason, error }: ExitView): string {
  if (askedBy?.startsWith('upkeep: ')) return askedBy.slice('upkeep: '.length);
  if (!error) return reason;
  const { type, message, at } = error;
  return `${reason} (${type === null ? '' : `${type}: `}${message}${at === null ? '' : `, at ${at}`})`;
}

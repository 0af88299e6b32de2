/** Probes a running instance at its interval and tells when it becomes healthy or unhealthy. */
import { probed, UNPROBED, type HealthState } from '../core/index.js';
import type { HealthSpec } from '../protocol/index.js';
import { runCheck, type CheckTarget } from './check.js';

/** `sinceMs`: how long ago that began, as near as probes can tell. */
export type OnHealth = (isHealthy: boolean, detail: string, sinceMs: number) => void;

export interface HealthWatchSetup {
  readonly spec: HealthSpec;
  readonly target: CheckTarget;
  /** How long the instance had been running when the watch began. */
  readonly ageMs: number;
  readonly onChange: OnHealth;
  /** It was asked, and has answered after so long, or not at all. */
  readonly onProbed: (tookMs: number, isSuccess: boolean) => void;
  /** How long ago another watch had its last good answer; undefined: it had none. */
  readonly answeredMsAgo?: number | undefined;
}

/** What was longer ago does not tell when it ceased to be. */
const ANSWER_TELLS_MS = 10_000;

export class HealthWatch {
  readonly #setup: HealthWatchSetup;
  readonly #bornAt: number;
  #state: HealthState;
  /** The answer before, and since when there have been only such ones. */
  #last: { readonly isSuccess: boolean; readonly at: number; readonly since: number } | undefined;
  /** When it answered another watch. */
  readonly #answeredBeforeAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `wasHealthy`: by a watch with other rules. */
  constructor(setup: HealthWatchSetup, wasHealthy = false) {
    this.#setup = setup;
    this.#bornAt = performance.now() - setup.ageMs;
    this.#state = { ...UNPROBED, isHealthy: wasHealthy || null };
    const { answeredMsAgo = Infinity } = setup;
    if (answeredMsAgo < ANSWER_TELLS_MS) this.#answeredBeforeAt = performance.now() - answeredMsAgo;
    void this.#probe();
  }

  get isHealthy(): boolean | null {
    return this.#state.isHealthy;
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  async #probe(): Promise<void> {
    const { spec, target, onChange, onProbed } = this.#setup;
    const askedAt = performance.now();
    const { isSuccess, detail } = await runCheck(spec.check, target, spec.timeoutMs);
    if (this.#isOver) return;
    onProbed(performance.now() - askedAt, isSuccess);
    const since = this.#noteAnswer(isSuccess, askedAt);
    const before = this.#state.isHealthy;
    const ageMs = performance.now() - this.#bornAt;
    this.#state = probed(this.#state, { isSuccess, ageMs }, spec);
    this.#timer = setTimeout(() => void this.#probe(), spec.intervalMs);
    const now = this.#state.isHealthy;
    if (now !== null && now !== before) onChange(now, detail, performance.now() - since);
  }

  /** Answers since when it answers like this. What began to fail did so between two probes: halfway is right on average. */
  #noteAnswer(isSuccess: boolean, askedAt: number): number {
    const last = this.#last;
    const lastAt = last?.at ?? this.#answeredBeforeAt;
    const turnedAt = lastAt !== undefined && !isSuccess ? (lastAt + askedAt) / 2 : askedAt;
    const since = last?.isSuccess === isSuccess ? last.since : turnedAt;
    this.#last = { isSuccess, at: performance.now(), since };
    return since;
  }
}

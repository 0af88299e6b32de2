/** Probes a running instance at its interval and tells when it becomes healthy or unhealthy. */
import { probed, UNPROBED, type HealthState } from '../core/index.js';
import type { HealthSpec } from '../protocol/index.js';
import { runCheck, type CheckTarget } from './check.js';

export class HealthWatch {
  readonly #spec: HealthSpec;
  readonly #target: CheckTarget;
  readonly #onChange: (isHealthy: boolean, detail: string) => void;
  #state: HealthState = UNPROBED;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(spec: HealthSpec, target: CheckTarget, onChange: (isHealthy: boolean, detail: string) => void) {
    this.#spec = spec;
    this.#target = target;
    this.#onChange = onChange;
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
    const result = await runCheck(this.#spec.check, this.#target, this.#spec.timeoutMs);
    if (this.#isOver) return;
    const before = this.#state.isHealthy;
    this.#state = probed(this.#state, result.isSuccess, this.#spec.failures);
    this.#timer = setTimeout(() => void this.#probe(), this.#spec.intervalMs);
    const now = this.#state.isHealthy;
    if (now !== null && now !== before) this.#onChange(now, result.detail);
  }
}

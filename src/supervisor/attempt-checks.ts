/** What is looked at while an attempt lives: first whether it is ready, then, where asked for, whether it is healthy. */
import type { ServiceSpec } from '../protocol/index.js';
import type { CheckTarget } from './check.js';
import { HealthWatch } from './health-watch.js';
import { watchReadiness, type Readiness, type ReadyNews } from './readiness.js';

export class AttemptChecks {
  readonly #spec: ServiceSpec;
  readonly #target: CheckTarget;
  readonly #readiness: Readiness;
  #health: HealthWatch | undefined;

  constructor(spec: ServiceSpec, target: CheckTarget, onReady: () => void) {
    this.#spec = spec;
    this.#target = target;
    this.#readiness = watchReadiness(spec.ready, target, onReady);
  }

  /** What the ready rule still misses. */
  get missing(): string | undefined {
    return this.#readiness.detail;
  }

  get isHealthy(): boolean | null {
    return this.#health?.isHealthy ?? null;
  }

  /** The program was executed. */
  onRunning(): void {
    this.#readiness.onRunning();
  }

  onNews(news: ReadyNews): void {
    this.#readiness.onNews(news);
  }

  /** It is ready: from here on its health counts. */
  watchHealth(onChange: (isHealthy: boolean, detail: string) => void): void {
    if (this.#spec.health) this.#health ??= new HealthWatch(this.#spec.health, this.#target, onChange);
  }

  /** The process ended; everything that it wrote is in the logs. */
  onExited(): void {
    this.#readiness.onExited();
    this.end();
  }

  end(): void {
    this.#readiness.end();
    this.#health?.end();
    this.#health = undefined;
  }
}

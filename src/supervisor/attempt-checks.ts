/** What is looked at while an attempt lives: first whether it is ready, then, where asked for, whether it is healthy. */
import type { HealthSpec, ServiceSpec } from '../protocol/index.js';
import type { CheckTarget } from './check.js';
import { HealthWatch, type HealthWatchSetup, type OnHealth } from './health-watch.js';
import { watchReadiness, type Readiness, type ReadyNews } from './readiness.js';

export interface ChecksObserver {
  onReady(): void;
  /** A health probe took so long. */
  onProbed(tookMs: number, isSuccess: boolean): void;
}

/** When things happened to it, before its health was watched. */
export type AttemptAge = Pick<HealthWatchSetup, 'ageMs' | 'answeredMsAgo'>;

export class AttemptChecks {
  readonly #target: CheckTarget;
  readonly #observer: ChecksObserver;
  readonly #readiness: Readiness;
  #health: HealthWatch | undefined;

  constructor(spec: ServiceSpec, target: CheckTarget, observer: ChecksObserver) {
    this.#target = target;
    this.#observer = observer;
    this.#readiness = watchReadiness(spec.ready, target, () => observer.onReady());
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

  /** It is ready: from here on its health counts. Called again, it goes by other rules. */
  watchHealth(spec: HealthSpec | null, age: AttemptAge, onChange: OnHealth): void {
    const before = this.#health;
    before?.end();
    const onProbed: HealthWatchSetup['onProbed'] = (...answer) => this.#observer.onProbed(...answer);
    const setup = { target: this.#target, ...age, onChange, onProbed };
    this.#health = spec ? new HealthWatch({ ...setup, spec }, before?.isHealthy === true) : undefined;
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

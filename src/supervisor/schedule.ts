/** Cron: restarts a running service, or runs one to completion; croner is loaded only where a schedule exists. */
import type { ScheduleSpec } from '../protocol/index.js';
import type { Instance } from './instance.js';

/** The service as a schedule sees it. */
interface Scheduled {
  readonly instances: readonly Instance[];
  until(isSo: () => boolean): Promise<void>;
}

interface Job {
  stop(): void;
  nextRun(): Date | null;
}

export class Schedule {
  readonly #spec: ScheduleSpec;
  readonly #service: Scheduled;
  readonly #onRestart: (why: string) => void;
  #runs: Job | undefined;
  #restarts: Job | undefined;
  #isOver = false;
  #isQueued = false;

  constructor(spec: ScheduleSpec, service: Scheduled, onRestart: (why: string) => void) {
    this.#spec = spec;
    this.#service = service;
    this.#onRestart = onRestart;
    void this.#begin();
  }

  /** undefined where nothing is run on schedule. */
  get nextRun(): Date | undefined {
    return this.#spec.run === null ? undefined : (this.#runs?.nextRun() ?? new Date());
  }

  end(): void {
    this.#isOver = true;
    this.#runs?.stop();
    this.#restarts?.stop();
  }

  async #begin(): Promise<void> {
    const { Cron } = await import('croner');
    if (this.#isOver) return;
    const { run, restart, timezone } = this.#spec;
    const options = { unref: true, ...(timezone === null ? {} : { timezone }) };
    if (run !== null) this.#runs = new Cron(run, options, () => this.#run());
    if (restart !== null)
      this.#restarts = new Cron(restart, options, () => this.#onRestart(`schedule ${restart}`));
  }

  #run(): void {
    const [instance] = this.#service.instances;
    if (!instance) return;
    if (instance.isAtRest) return instance.start(null);
    switch (this.#spec.overlap) {
      case 'skip':
        return;
      case 'replace':
        return instance.restart(`schedule ${this.#spec.run}`, null);
      case 'queue':
        void this.#runLater(instance);
    }
  }

  /** However many times fell into a long run: one run follows it. */
  async #runLater(instance: Instance): Promise<void> {
    if (this.#isQueued) return;
    this.#isQueued = true;
    await this.#service.until(() => instance.isAtRest);
    this.#isQueued = false;
    if (!this.#isOver) instance.start(null);
  }
}

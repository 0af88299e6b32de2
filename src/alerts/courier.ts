/** Delivers the notices for one receiver in their order, and tries again with growing patience while it does not take them. */
import type { AlertTarget, Notice } from '../protocol/index.js';
import { Delivery } from './delivery.js';
import type { Outbox, Waiting } from './outbox.js';

/** After the first failure, the second, …; the last one is repeated for ever. */
const PAUSES_MS = [1000, 2000, 5000, 15_000, 60_000, 300_000];
const BATCH = 50;

export interface CourierHost {
  readonly outbox: Outbox;
  readonly wall: () => Date;
  /** Those for this receiver, oldest first. */
  readonly waiting: () => readonly Waiting[];
  /** The first failure of a row. */
  readonly onFailure: (failure: string) => void;
  readonly onInternalError: (error: unknown) => void;
}

export class Courier {
  readonly #host: CourierHost;
  #target: AlertTarget;
  #delivery: Delivery | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #isOver = false;
  #isBusy = false;
  deliveredAt: string | null = null;
  failure: string | null = null;

  constructor(target: AlertTarget, host: CourierHost) {
    this.#target = target;
    this.#host = host;
  }

  /** There may be something to deliver. */
  wake(): void {
    if (this.#isOver || this.#isBusy || this.#failures > 0) return;
    void this.#work();
  }

  /** Now, beside whatever else is to be delivered. */
  async deliver(notice: Notice): Promise<void> {
    const delivery = new Delivery(this.#target, [notice], () => this.#onDelivered());
    this.failure = (await delivery.ended()) ?? null;
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#delivery?.end();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    clearTimeout(this.#timer);
    try {
      while (!this.#isOver) {
        const due = this.#due();
        if (due.length === 0) return this.#sleep();
        const failure = await this.#send(due);
        if (failure !== undefined) return this.#onFailed(failure);
        this.#failures = 0;
        this.failure = null;
      }
    } catch (error) {
      this.#host.onInternalError(error);
      this.#onFailed((error as Error).message);
    } finally {
      this.#isBusy = false;
    }
  }

  #due(): Notice[] {
    const now = this.#host.wall().getTime();
    const due = this.#host.waiting().filter(({ notBefore }) => notBefore <= now);
    return due.slice(0, BATCH).map(({ notice }) => notice);
  }

  async #send(notices: readonly Notice[]): Promise<string | undefined> {
    const { outbox } = this.#host;
    const marked = notices.map((notice) => ({ ...notice, isRepeated: outbox.hasTried(notice.id) }));
    await outbox.tried(marked.map(({ id }) => id));
    if (this.#isOver) return undefined;
    const done: Promise<void>[] = [];
    this.#delivery = new Delivery(this.#target, marked, (id) => {
      this.#onDelivered();
      done.push(outbox.done(id));
    });
    const failure = await this.#delivery.ended();
    this.#delivery = undefined;
    await Promise.all(done);
    return failure;
  }

  #onDelivered(): void {
    this.deliveredAt = this.#host.wall().toISOString();
  }

  #onFailed(failure: string): void {
    if (this.#isOver) return;
    if (this.failure === null) this.#host.onFailure(failure);
    this.failure = failure;
    const pauseMs = PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)]!;
    this.#timer = setTimeout(() => void this.#work(), pauseMs).unref();
  }

  /** Until quiet hours are over. */
  #sleep(): void {
    const times = this.#host.waiting().map(({ notBefore }) => notBefore);
    if (times.length === 0) return;
    const waitMs = Math.max(1000, Math.min(...times) - this.#host.wall().getTime());
    this.#timer = setTimeout(() => this.wake(), Math.min(waitMs, 3_600_000)).unref();
  }
}

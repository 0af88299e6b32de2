/**
 * Delivers the notices for one receiver in their order, and tries again with growing patience while it does not take them. One that
 * is refused while others are taken holds up none of them.
 */
import type { AlertTarget, Notice } from '../protocol/index.js';
import { Delivery } from './delivery.js';
import type { Outbox, Waiting } from './outbox.js';

/** After the first failure, the second, …; the last one is repeated for ever. */
const PAUSES_MS = [1000, 2000, 5000, 15_000, 60_000, 300_000];
const BATCH = 50;
/** More than an hour. Then one is given up that the receiver refuses, if it has taken another one meanwhile. */
const MAX_REFUSALS = 20;

interface Refusal {
  readonly count: number;
  readonly firstAt: number;
  readonly againAt: number;
}

export interface CourierHost {
  readonly outbox: Outbox;
  readonly wall: () => Date;
  /** Those for this receiver, oldest first. */
  readonly waiting: () => readonly Waiting[];
  /** The first failure of a row. */
  readonly onFailure: (failure: string) => void;
  /** One that is refused for good. */
  readonly onGivenUp: (notice: string, failure: string) => void;
  readonly onInternalError: (error: unknown) => void;
}

export class Courier {
  readonly #host: CourierHost;
  #target: AlertTarget;
  #delivery: Delivery | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** By the id of the notice. */
  readonly #refusals = new Map<string, Refusal>();
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
    let refusal: string | null = null;
    const delivery = new Delivery(this.#target, [notice], {
      onDone: () => this.#onDelivered(),
      onRefused: (_id, why) => (refusal = why),
    });
    this.failure = (await delivery.ended()) ?? refusal;
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
        if (this.#refusals.size === 0) this.failure = null;
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
    const waiting = this.#host.waiting();
    const ids = new Set(waiting.map(({ notice }) => notice.id));
    for (const id of this.#refusals.keys()) if (!ids.has(id)) this.#refusals.delete(id);
    const due = waiting.filter((each) => this.#dueAt(each) <= now);
    const count = ({ notice }: Waiting): number => this.#refusals.get(notice.id)?.count ?? 0;
    return due
      .toSorted((a, b) => count(a) - count(b))
      .slice(0, BATCH)
      .map(({ notice }) => notice);
  }

  #dueAt({ notice, notBefore }: Waiting): number {
    return Math.max(notBefore, this.#refusals.get(notice.id)?.againAt ?? 0);
  }

  async #send(notices: readonly Notice[]): Promise<string | undefined> {
    const { outbox, onInternalError } = this.#host;
    const marked = notices.map((notice) => ({ ...notice, isRepeated: outbox.hasTried(notice.id) }));
    // A full disk is just what somebody has to be told of.
    await outbox.tried(marked.map(({ id }) => id)).catch(onInternalError);
    if (this.#isOver) return undefined;
    const done: Promise<void>[] = [];
    const cross = (id: string): void => void done.push(outbox.done(id).catch(onInternalError));
    this.#delivery = new Delivery(this.#target, marked, {
      onDone: (id) => {
        this.#onDelivered();
        this.#refusals.delete(id);
        cross(id);
      },
      onRefused: (id, why) => this.#onRefused(id, why) && cross(id),
    });
    const failure = await this.#delivery.ended();
    this.#delivery = undefined;
    await Promise.all(done);
    return failure;
  }

  /** True: it is given up. */
  #onRefused(id: string, why: string): boolean {
    const now = this.#host.wall().getTime();
    const before = this.#refusals.get(id);
    const count = (before?.count ?? 0) + 1;
    const firstAt = before?.firstAt ?? now;
    if (this.failure === null) this.#host.onFailure(why);
    this.failure = why;
    if (count >= MAX_REFUSALS && Date.parse(this.deliveredAt ?? '') > firstAt) {
      this.#refusals.delete(id);
      this.#host.onGivenUp(id, why);
      return true;
    }
    this.#refusals.set(id, { count, firstAt, againAt: now + pauseAfter(count) });
    return false;
  }

  #onDelivered(): void {
    this.deliveredAt = this.#host.wall().toISOString();
  }

  #onFailed(failure: string): void {
    if (this.#isOver) return;
    if (this.failure === null) this.#host.onFailure(failure);
    this.failure = failure;
    this.#timer = setTimeout(() => void this.#work(), pauseAfter(++this.#failures)).unref();
  }

  /** Until quiet hours are over, or one that was refused may be asked again. */
  #sleep(): void {
    const times = this.#host.waiting().map((each) => this.#dueAt(each));
    if (times.length === 0) return;
    const waitMs = Math.max(1000, Math.min(...times) - this.#host.wall().getTime());
    this.#timer = setTimeout(() => this.wake(), Math.min(waitMs, 3_600_000)).unref();
  }
}

/** Milliseconds. */
function pauseAfter(failures: number): number {
  return PAUSES_MS[Math.min(failures, PAUSES_MS.length) - 1]!;
}

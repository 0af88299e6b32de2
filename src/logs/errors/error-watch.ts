/**
 * Watches the logs of all services for errors of a kind that was not there before. It looks at
 * sizes once a second; while nothing is written it lets the kernel tell. What is written it reads within a budget, and where a storm is
 * beyond that it leaves some of it out and says how much.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NewEvent } from '../../protocol/index.js';
import { FolderAlarm } from './folder-alarm.js';
import { Budget } from './budget.js';
import type { OpenRecord } from './change.js';
import { ServiceErrors } from './service-errors.js';

const LOOK_MS = 1000;
/** Where a record may go on, or have ended. */
const LOOK_AGAIN_MS = 300;
const QUIET_MS = 250;
/** Where nothing was written for so long the folder has an alarm. */
const QUIET_AFTER_MS = 4000;
/** An alarm may fail. */
const LOOK_ANYWAY_MS = 30_000;
/** Where there is none. */
const LOOK_RARELY_MS = 2000;
/** How long others wait for it at most, more or less. */
const SLICE_MS = 5;
const REST_MS = 20;
/** Looks at hundreds of services are due at as many moments: those of a tenth of a second are taken together. */
const GATHER_MS = 100;
const MAX_BEHIND_BYTES = 16 * 1024 * 1024;
/** What is read at the end of what is left out. */
const REST_BYTES = 1024 * 1024;
/** How long somebody who asks waits at most: longer than a record has to be quiet. */
const CATCH_UP_MS = 500;
/** By service; the others are counted. */
const TOLD_A_MINUTE = 20;
const MINUTE_MS = 60_000;

export interface ErrorWatchSetup {
  readonly home: string;
  readonly wall: () => Date;
  /** What others may read of the lines of a service. */
  readonly hide: (service: string) => (line: string) => string;
  readonly emit: (event: NewEvent) => void;
  readonly onInternalError: (error: unknown) => void;
}

interface Watched {
  readonly folder: string;
  readonly errors: ServiceErrors;
  /** Monotonic, as the next. */
  lookAt: number;
  newsAt: number;
  alarm: FolderAlarm | undefined;
  /** Of this minute. */
  minute: number;
  told: number;
}

export class ErrorWatch {
  readonly #setup: ErrorWatchSetup;
  readonly #watched = new Map<string, Watched>();
  readonly #budget = new Budget();
  #behind: Watched[] = [];
  /** Of the folder above all: services that never wrote anything have none. */
  #alarmAbove: FolderAlarm | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When it is due. */
  #dueAt = Infinity;
  #isClosed = false;

  constructor(setup: ErrorWatchSetup) {
    this.#setup = setup;
  }

  /** The names of those that are watched. */
  get services(): readonly string[] {
    return [...this.#watched.keys()];
  }

  find(service: string): ServiceErrors | undefined {
    return this.#watched.get(service)?.errors;
  }

  /** From now on, or on from where a former daemon was. undefined: it is closed. */
  watch(service: string): ServiceErrors | undefined {
    const known = this.find(service);
    if (known || this.#isClosed) return known;
    this.#guard(() => {
      const now = performance.now();
      this.#watched.set(service, {
        folder: join(this.#folder, service),
        alarm: undefined,
        errors: this.#open(service),
        lookAt: now,
        newsAt: now,
        minute: 0,
        told: 0,
      });
    });
    this.#lookIn(0);
    return this.find(service);
  }

  /**
   * Reads ahead of its turn what was written by now; an error that one of these has just begun to write has ended then, and of a storm
   * as much is known as can be read within a moment.
   */
  async catchUp(service: string, isAwaited: (writer: OpenRecord) => boolean): Promise<void> {
    const watched = this.#watched.get(service);
    let deadline: number | undefined;
    while (watched && !this.#isClosed) {
      await delay(REST_MS); // what was just printed is on its way to the log
      const now = performance.now();
      watched.lookAt = Math.min(watched.lookAt, now);
      this.#look();
      deadline ??= now + CATCH_UP_MS;
      const { errors } = watched;
      if (now > deadline || (!errors.isBehind && !errors.isOpen(isAwaited))) return;
    }
  }

  /** It was deleted; what is known of its errors stays, as its logs do. */
  forget(service: string): void {
    const watched = this.#watched.get(service);
    if (!watched) return;
    this.#watched.delete(service);
    if (watched.alarm !== this.#alarmAbove) watched.alarm?.end();
    this.#behind = this.#behind.filter((each) => each !== watched);
    this.#guard(() => watched.errors.close());
  }

  /** Nothing is read any more, and at last nothing written: the next daemon goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#alarmAbove?.end();
    for (const { alarm } of this.#watched.values()) alarm?.end();
    const all = [...this.#watched.values()].map(({ errors }) => errors);
    for (const errors of all) this.#guard(() => errors.close());
    await Promise.all(all.map((errors) => errors.settled()));
  }

  #open(service: string): ServiceErrors {
    const { home, wall, hide, emit } = this.#setup;
    return new ServiceErrors({
      logFolder: join(this.#folder, service),
      folder: join(home, 'errors', service),
      now: () => wall().getTime(),
      hide: hide(service),
      onNew: (kind) => this.#tell(service, kind),
      onWarning: (message) => emit({ type: 'warning', service, message }),
    });
  }

  get #folder(): string {
    return join(this.#setup.home, 'logs');
  }

  /** Or earlier, where that is planned already. */
  #lookIn(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.#isClosed || at >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#look(), delayMs);
  }

  #look(): void {
    this.#dueAt = Infinity;
    const now = performance.now();
    for (const watched of this.#watched.values()) if (watched.lookAt <= now) this.#lookAt(watched, now);
    if (this.#behind.length > 0) this.#work();
    if (this.#behind.length > 0) return this.#lookIn(Math.max(REST_MS, this.#budget.waitMs()));
    const next = Math.min(...[...this.#watched.values()].map(({ lookAt }) => lookAt));
    if (next < Infinity) this.#lookIn(Math.max(GATHER_MS, next - performance.now()));
  }

  #lookAt(watched: Watched, now: number): void {
    this.#guard(() => {
      const hasNews = watched.errors.hasNews();
      if (hasNews) watched.newsAt = now;
      watched.lookAt = now + this.#pauseMs(watched, now);
      if (watched.errors.isBehind && !this.#behind.includes(watched)) this.#behind.push(watched);
      else if (hasNews) this.#settle(watched);
    });
  }

  #pauseMs(watched: Watched, now: number): number {
    if (now - watched.newsAt < QUIET_AFTER_MS) return LOOK_MS;
    if (watched.alarm) return LOOK_ANYWAY_MS;
    watched.alarm = this.#alarmFor(watched);
    // Something may have been written just before it was set.
    return watched.alarm ? LOOK_MS : LOOK_RARELY_MS;
  }

  #alarmFor(watched: Watched): FolderAlarm | undefined {
    const own = FolderAlarm.set(watched.folder, () => this.#wake(watched));
    if (own) return own;
    return (this.#alarmAbove ??= FolderAlarm.set(this.#folder, () => this.#wakeAllBelow()));
  }

  #wake(watched: Watched): void {
    watched.alarm = undefined;
    watched.newsAt = watched.lookAt = performance.now();
    this.#lookIn(GATHER_MS);
  }

  /** One of them has a folder now. */
  #wakeAllBelow(): void {
    const alarm = this.#alarmAbove;
    this.#alarmAbove = undefined;
    for (const watched of this.#watched.values()) if (watched.alarm === alarm) this.#wake(watched);
  }

  /** Block by block, each service in turn, for a slice of time. */
  #work(): void {
    const end = performance.now() + SLICE_MS;
    const touched = new Set<Watched>();
    this.#budget.begin();
    while (this.#behind.length > 0 && performance.now() < end && this.#budget.has()) {
      const watched = this.#behind.shift()!;
      touched.add(watched);
      this.#guard(() => watched.errors.readOn());
      if (watched.errors.isBehind) this.#behind.push(watched);
    }
    for (const watched of touched) this.#settle(watched);
    if (!this.#budget.has())
      for (const { errors } of this.#behind) this.#guard(() => errors.skip(MAX_BEHIND_BYTES, REST_BYTES));
    this.#budget.end();
  }

  #settle(watched: Watched): void {
    const { errors } = watched;
    this.#guard(() => {
      errors.endQuiet(QUIET_MS);
      errors.commit();
      if (errors.hasOpenRecords) watched.lookAt = Math.min(watched.lookAt, performance.now() + LOOK_AGAIN_MS);
    });
  }

  #tell(service: string, kind: { id: string; title: string; count: number }): void {
    const watched = this.#watched.get(service);
    if (!watched) return;
    const minute = Math.floor(performance.now() / MINUTE_MS);
    if (minute !== watched.minute) Object.assign(watched, { minute, told: 0 });
    watched.told++;
    if (watched.told <= TOLD_A_MINUTE) this.#setup.emit({ type: 'error-kind-new', service, ...kind });
    if (watched.told === TOLD_A_MINUTE + 1) {
      const message = `more than ${TOLD_A_MINUTE} new kinds of errors within a minute: see upkeep errors ${service} --new`;
      this.#setup.emit({ type: 'warning', service, message });
    }
  }

  /** A log that cannot be read must not keep the others from being read. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#setup.onInternalError(error);
    }
  }
}

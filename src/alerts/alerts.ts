/** Ties it together: events in, notices out. What was decided is on disk before anything is sent. */
import { hostname } from 'node:os';
import {
  forget,
  nextTick,
  note,
  openIn,
  problemsOf,
  problemsOfOperation,
  quietUntil,
  tick,
  type AlertBook,
  type Problem,
  type Told,
} from '../core/index.js';
import type { AlertKind, AlertSpec, AlertView, OperationView, UpkeepEvent } from '../protocol/index.js';
import type { EventStore } from '../store/index.js';
import { Courier } from './courier.js';
import { Outbox, type Waiting } from './outbox.js';
import { showTarget } from './target.js';
import { wordNotice, wordTest } from './words.js';

/** Of what the couriers say: nobody is told by a receiver that cannot be reached. */
const OWN_WARNING = 'Cannot deliver alert ';
const MAX_TICK_MS = 3_600_000;
/** Events that mean nothing to anybody are looked at again by the next daemon, those of so long at most. */
const SAVE_PLACE_MS = 30_000;

export interface AlertsHost {
  readonly home: string;
  readonly events: EventStore;
  readonly wall: () => Date;
  readonly services: () => Iterable<{ readonly name: string; readonly alerts: readonly AlertSpec[] }>;
  readonly findOperation: (id: string) => OperationView;
  readonly warn: (message: string) => void;
  readonly onInternalError: (error: unknown) => void;
}

export class Alerts {
  readonly #host: AlertsHost;
  readonly #outbox: Outbox;
  readonly #couriers = new Map<string, Courier>();
  #book: AlertBook;
  #seq = 0;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #placeTimer: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(host: AlertsHost) {
    this.#host = host;
    this.#outbox = new Outbox(host.home);
    this.#book = this.#outbox.book;
  }

  /** Goes on with what a former daemon has seen last; what it did not see is looked at now. */
  begin(): void {
    const { events } = this.#host;
    const latest = events.recent(1)[0]?.seq ?? 0;
    this.#seq = Math.min(this.#outbox.seq ?? latest, latest);
    this.#unsubscribe = events.subscribe(() => this.#onEvents());
    if (this.#outbox.seq === undefined) this.#savePlace();
    this.#onEvents();
    this.#onTick();
    this.#wakeAll();
  }

  list(): AlertView[] {
    return this.#receivers().map(({ spec, services }) => {
      const { deliveredAt, failure } = this.#courier(spec);
      const pending = this.#waitingFor(keyOf(spec)).length;
      const { name, target, on } = spec;
      return { name, via: target.via, to: showTarget(target), on, services, pending, deliveredAt, failure };
    });
  }

  /** What was told of a kind and is not over, also by a former daemon: of which service ('' for none), and its key. */
  openOf(kind: AlertKind): [service: string, key: string][] {
    return openIn(this.#book, kind);
  }

  /** By one, or by all: answers when each has been tried. */
  async test(name: string | null): Promise<AlertView[]> {
    const chosen = this.#receivers().filter(({ spec }) => name === null || spec.name === name);
    await Promise.all(
      chosen.map(({ spec }) => this.#courier(spec).deliver(wordTest(spec, this.#source('test')))),
    );
    const names = new Set(chosen.map(({ spec }) => spec.name));
    return this.list().filter((view) => names.has(view.name));
  }

  /** The next daemon goes on. */
  async end(): Promise<void> {
    this.#unsubscribe?.();
    clearTimeout(this.#timer);
    clearTimeout(this.#placeTimer);
    for (const courier of this.#couriers.values()) courier.end();
    await this.#outbox.close();
  }

  #onEvents(): void {
    this.#placeTimer ??= setTimeout(() => this.#savePlace(), SAVE_PLACE_MS).unref();
    for (const event of this.#host.events.since(this.#seq)) {
      this.#seq = event.seq;
      try {
        this.#onEvent(event);
      } catch (error) {
        this.#host.onInternalError(error);
      }
    }
  }

  #savePlace(): void {
    this.#placeTimer = undefined;
    if (this.#outbox.seq === this.#seq) return;
    this.#outbox.note(this.#seq, this.#book, []).catch(this.#host.onInternalError);
  }

  #onEvent(event: UpkeepEvent): void {
    if (event.type === 'service-deleted') return this.#keep(forget(this.#book, event.service), []);
    if (event.type === 'warning' && event.message.startsWith(OWN_WARNING)) return;
    const problems = this.#problemsOf(event);
    if (problems.length === 0) return;
    const now = Date.parse(event.at);
    let book = this.#book;
    const waiting: Waiting[] = [];
    for (const problem of problems) {
      const step = note(book, problem, this.#alertsOf(problem.service), now);
      book = step.book;
      waiting.push(...step.told.map((told) => this.#word(told, now)));
    }
    this.#keep(book, waiting);
  }

  #problemsOf(event: UpkeepEvent): readonly Problem[] {
    if (event.type === 'operation')
      return event.status === 'failed' ? problemsOfOperation(this.#host.findOperation(event.operation)) : [];
    return problemsOf(event);
  }

  #onTick(): void {
    const now = this.#host.wall().getTime();
    const { book, told } = tick(this.#book, this.#byName(), now);
    this.#keep(
      book,
      told.map((each) => this.#word(each, now)),
    );
    this.#setTimer();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const at = nextTick(this.#book, this.#byName());
    if (at === undefined) return;
    const waitMs = Math.min(MAX_TICK_MS, Math.max(100, at - this.#host.wall().getTime()));
    this.#timer = setTimeout(() => this.#onTick(), waitMs).unref();
  }

  #keep(book: AlertBook, waiting: readonly Waiting[]): void {
    if (book === this.#book || (isEmpty(book) && isEmpty(this.#book))) return;
    this.#book = book;
    this.#setTimer();
    this.#outbox.note(this.#seq, book, waiting).then(
      (dropped) => {
        if (dropped > 0) this.#host.warn(`${OWN_WARNING}notices: ${dropped} had to make room for later ones`);
        this.#wakeAll();
      },
      (error: unknown) => {
        this.#host.onInternalError(error); // a full disk: it is sent all the same
        this.#wakeAll();
      },
    );
  }

  #word(told: Told, now: number): Waiting {
    const spec = this.#specOf(told.alert, told.service)!;
    const notice = wordNotice(told, spec, this.#source(told.alert));
    return { notice, notBefore: quietUntil(spec.quiet, told.kind, now) ?? 0 };
  }

  #source(alert: string): Parameters<typeof wordNotice>[2] {
    const now = this.#host.wall().getTime();
    return { id: `${now.toString(36)}-${this.#seq}.${this.#count++}-${alert}`, host: hostname(), now };
  }

  #wakeAll(): void {
    for (const { spec } of this.#receivers()) this.#courier(spec).wake();
  }

  #courier(spec: AlertSpec): Courier {
    const key = keyOf(spec);
    const known = this.#couriers.get(key);
    if (known) return known;
    const { wall, warn, onInternalError } = this.#host;
    const courier = new Courier(spec.target, {
      outbox: this.#outbox,
      wall,
      onInternalError,
      waiting: () => this.#waitingFor(key),
      onFailure: (failure) =>
        warn(
          `${OWN_WARNING}"${spec.name}" (${showTarget(spec.target)}): ${failure}; it is tried again until it arrives`,
        ),
      onGivenUp: (notice, failure) =>
        warn(
          `${OWN_WARNING}"${spec.name}" (${showTarget(spec.target)}): ${failure}; notice ${notice} is given up, others were taken`,
        ),
    });
    this.#couriers.set(key, courier);
    return courier;
  }

  /** A notice goes where its alert points to by now: a mistyped receiver can be mended. */
  #waitingFor(key: string): Waiting[] {
    return this.#outbox.waiting.filter(({ notice }) => {
      const spec = this.#specOf(notice.alert, notice.service);
      return spec !== undefined && keyOf(spec) === key;
    });
  }

  #specOf(name: string, service: string | null): AlertSpec | undefined {
    const own = service === null ? undefined : this.#alertsOf(service).find((alert) => alert.name === name);
    return own ?? this.#byName().get(name);
  }

  /** What concerns no service concerns everybody. */
  #alertsOf(service: string | null): readonly AlertSpec[] {
    if (service === null) return [...this.#byName().values()];
    for (const { name, alerts } of this.#host.services()) if (name === service) return alerts;
    return [];
  }

  #byName(): ReadonlyMap<string, AlertSpec> {
    return new Map(
      [...this.#host.services()].flatMap(({ alerts }) => alerts.map((alert) => [alert.name, alert])),
    );
  }

  /** Files may call different ones the same. */
  #receivers(): { spec: AlertSpec; services: string[] }[] {
    const found = new Map<string, { spec: AlertSpec; services: string[] }>();
    for (const { name, alerts } of this.#host.services())
      for (const spec of alerts) {
        const key = keyOf(spec);
        const known = found.get(key);
        if (known) known.services.push(name);
        else found.set(key, { spec, services: [name] });
      }
    return [...found.values()];
  }
}

function keyOf({ name, target }: AlertSpec): string {
  return JSON.stringify([name, target]);
}

function isEmpty(book: AlertBook): boolean {
  return Object.values(book).every((problems) => Object.keys(problems).length === 0);
}

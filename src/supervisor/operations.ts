/**
 * The book of operations: accepts a request, writes it down, lets it run when nothing earlier touches the same
 * services, and tells how it gets on. Who asked may die at any time; what was accepted is done, also by the next
 * daemon.
 */
import * as v from 'valibot';
import { joinable, runnable } from '../core/index.js';
import { UpkeepError, type Failure, type OperationView, type Requester } from '../protocol/index.js';
import type { Journal } from '../store/index.js';
import { deferred } from '../util/index.js';
import {
  createOperation,
  hasEnded,
  JournalLine,
  toLine,
  type AcceptedLine,
  type AcceptedRequest,
  type Operation,
  type Step,
} from './operation.js';
import { OperationNews } from './operation-news.js';
import type { PlannedStep } from './plan.js';

const KEPT = 500;
/** In all of them together: a thousand services make for long operations. */
const KEPT_STEPS = 10_000;

export interface OperationHost {
  /** `ahead`: the operations that will be done before it, oldest first. */
  plan(request: AcceptedRequest, ahead: readonly Operation[]): PlannedStep[];
  attempts(services: readonly string[]): Operation['baseline'];
  /** Does the steps; records their outcome; never rejects. */
  perform(operation: Operation): Promise<void>;
  /** It began, or ended. */
  onChange(view: OperationView): void;
  now(): string;
}

export class Operations {
  readonly #journal: Journal;
  readonly #host: OperationHost;
  readonly #queue: Operation[] = [];
  readonly #views = new Map<string, OperationView>();
  readonly #news = new OperationNews();
  #unfinished: readonly AcceptedLine[] = [];
  #lastId = 0;
  #isClosed = false;

  constructor(journal: Journal, host: OperationHost) {
    this.#journal = journal;
    this.#host = host;
  }

  /** Reads the journal; answers what a former daemon accepted and did not end, to be given to `resume`. */
  load(): readonly AcceptedLine[] {
    const open = new Map<string, AcceptedLine>();
    for (const read of this.#journal.read(() => this.#summarize())) {
      const { success, output: line } = v.safeParse(JournalLine, read); // with what is absent in older ones
      if (!success) continue; // it only looks whole
      this.#lastId = Math.max(this.#lastId, Number(line.view.id));
      this.#views.set(line.view.id, line.view);
      if (line.type === 'accepted') open.set(line.view.id, line);
      else open.delete(line.view.id);
    }
    this.#forgetOld();
    this.#unfinished = [...open.values()];
    return this.#unfinished;
  }

  resume(lines: readonly AcceptedLine[]): void {
    this.#unfinished = [];
    for (const { request, view, baseline } of lines) {
      const steps = view.steps.map((step): PlannedStep => {
        const isDescribed = request.kind === 'up' || request.kind === 'release';
        const spec = isDescribed ? request.services.find(({ name }) => name === step.service) : undefined;
        return { service: step.service, action: step.action, ...(spec ? { spec } : {}) };
      });
      const operation = createOperation(request, steps, { ...view, status: 'queued' }, baseline, true);
      this.#enqueue(operation);
      this.#supersede(operation);
    }
    this.#runNext();
  }

  /** Resolves when the request is accepted, that is: on disk. */
  async request(request: AcceptedRequest, requester: Requester): Promise<OperationView> {
    const planned = this.#host.plan(request, this.#queue);
    const services = new Set(planned.map((step) => step.service));
    // Who decides about a release waits for its own turn.
    const isForAll = request.kind !== 'release';
    const same = isForAll ? joinable(this.#queue, JSON.stringify(request), services) : undefined;
    if (same) {
      same.view.joined.push(requester);
      await same.accepted.promise;
      return same.view;
    }
    const view = this.#newView(String(++this.#lastId), request, requester);
    const baseline = this.#host.attempts([...services]);
    const operation = createOperation(request, planned, view, baseline, false);
    this.#enqueue(operation);
    this.#accept(operation);
    await operation.accepted.promise;
    return view;
  }

  find(id: string): OperationView {
    const view = this.#views.get(id);
    if (view) return view;
    throw new UpkeepError(
      'operation-not-found',
      `Cannot show operation "${id}": there is none with this number`,
      {
        hint: 'see the latest: upkeep operations',
      },
    );
  }

  /** Newest first. */
  list(limit: number): OperationView[] {
    return [...this.#views.values()].reverse().slice(0, limit);
  }

  /** Calls with the present state and after each change; answers how to end that. */
  follow(id: string, listener: (view: OperationView) => void): () => void {
    const end = this.#news.follow(id, listener);
    listener(this.find(id));
    return end;
  }

  async untilEnded(id: string): Promise<OperationView> {
    const ended = deferred<OperationView>();
    const end = this.follow(id, (view) => {
      if (hasEnded(view)) ended.resolve(view);
    });
    return ended.promise.finally(end);
  }

  beginStep(operation: Operation, step: Step): void {
    step.view.status = 'running';
    step.view.startedAt = this.#host.now();
    this.#news.tell(operation.view);
  }

  tellProgress(operation: Operation, step: Step, text: string): void {
    step.view.progress = text;
    this.#news.tell(operation.view);
  }

  /** Gives up what has not been done; what has been done stays. */
  abort(id: string, requester: Requester): OperationView {
    const view = this.find(id);
    const operation = this.#queue.find((each) => each.id === id);
    if (!operation || hasEnded(view)) throw alreadyEnded(view);
    view.abortedBy ??= requester;
    for (const step of operation.steps) step.abort.abort(abortedError(operation, step.service));
    this.#news.tell(view);
    return view;
  }

  endStep(operation: Operation, step: Step, status: 'done' | 'failed' | 'skipped', failure?: Failure): void {
    step.view.status = status;
    step.view.finishedAt = this.#host.now();
    delete step.view.progress;
    if (failure) step.view.failure = failure;
    step.stopped.resolve();
    step.launched.resolve();
    step.ended.resolve(status === 'done');
    this.#news.tell(operation.view);
  }

  /** Nothing begins any more; what has begun is finished by the next daemon. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#journal.close();
  }

  #newView(id: string, request: AcceptedRequest, requester: Requester): OperationView {
    return {
      id,
      kind: request.kind,
      ...(request.kind === 'release' ? { release: request.release } : {}),
      status: 'queued',
      requester,
      joined: [],
      acceptedAt: this.#host.now(),
      startedAt: null,
      finishedAt: null,
      steps: [],
    };
  }

  #enqueue(operation: Operation): void {
    this.#queue.push(operation);
    this.#views.set(operation.id, operation.view);
    this.#forgetOld();
  }

  #accept(operation: Operation): void {
    const { id, request, accepted } = operation;
    this.#journal.append(toLine(operation)).then(
      () => {
        operation.isAccepted = true;
        accepted.resolve();
        this.#supersede(operation);
        this.#runNext();
      },
      (cause: Error) => {
        accepted.reject(notWritten(request, cause));
        this.#views.delete(id);
        this.#leaveQueue(operation);
      },
    );
  }

  /** What waited for it may run. */
  #leaveQueue(operation: Operation): void {
    this.#queue.splice(this.#queue.indexOf(operation), 1);
    this.#runNext();
  }

  /** What the journal has to hold at this moment; what is not accepted yet comes after it. */
  #summarize(): JournalLine[] {
    const ended = [...this.#views.values()].filter(hasEnded);
    const open = this.#queue.filter(({ isAccepted, view }) => isAccepted && !hasEnded(view));
    return [
      ...ended.map((view): JournalLine => ({ type: 'ended', view })),
      ...this.#unfinished,
      ...open.map(toLine),
    ];
  }

  /** A stop need not wait until what it stops has become ready. */
  #supersede(by: Operation): void {
    const { kind } = by.request;
    if (kind !== 'stop' && kind !== 'delete') return;
    for (const operation of this.#queue) {
      if (operation === by) return;
      for (const step of operation.steps) {
        if (by.services.has(step.service) && step.action !== 'stop' && step.action !== 'delete') {
          step.abort.abort(supersededBy(by, step.service));
        }
      }
    }
  }

  #runNext(): void {
    if (this.#isClosed) return;
    for (const operation of runnable(this.#queue)) {
      if (!operation.isAccepted) continue;
      operation.isRunning = true;
      void this.#run(operation);
    }
  }

  async #run(operation: Operation): Promise<void> {
    const { view } = operation;
    view.status = 'running';
    view.startedAt ??= this.#host.now();
    this.#host.onChange(view);
    await this.#host.perform(operation);
    view.status = view.steps.every((step) => step.status === 'done') ? 'succeeded' : 'failed';
    view.finishedAt = this.#host.now();
    // A full disk undoes nothing: once it can be written again, the journal is renewed with this end in it.
    await this.#journal.append({ type: 'ended', view } satisfies JournalLine).catch(() => undefined);
    this.#host.onChange(view);
    this.#news.tell(view);
    this.#leaveQueue(operation);
  }

  #forgetOld(): void {
    let steps = [...this.#views.values()].reduce((sum, view) => sum + view.steps.length, 0);
    for (const [id, view] of this.#views) {
      if (this.#views.size <= KEPT && steps <= KEPT_STEPS) return;
      if (!hasEnded(view)) continue;
      this.#views.delete(id);
      steps -= view.steps.length;
    }
  }
}

function notWritten({ kind }: AcceptedRequest, cause: Error): UpkeepError {
  return new UpkeepError('internal', `Cannot accept the operation (${kind}): ${cause.message}`, {
    hint: 'nothing was done; see whether the disk of the home of upkeep is full or cannot be written',
    cause,
  });
}

function alreadyEnded({ id, kind, status }: OperationView): UpkeepError {
  return new UpkeepError('not-running', `Cannot abort operation ${id} (${kind}): it has ${status} already`, {
    hint: `see it: upkeep operation ${id}`,
  });
}

function abortedError({ id, request }: Operation, service: string): UpkeepError {
  return new UpkeepError('aborted', `Operation ${id} (${request.kind}) on "${service}" was aborted`, {
    hint: 'the service goes on by the description that it had before',
  });
}

function supersededBy(by: Operation, service: string): UpkeepError {
  return new UpkeepError(
    'superseded',
    `Cannot finish starting "${service}": operation ${by.id} (${by.request.kind}) came after it`,
  );
}

/**
 * The book of operations: accepts a request, writes it down, lets it run when nothing earlier touches the same
 * services, and tells how it gets on. Who asked may die at any time; what was accepted is done, also by the next
 * daemon.
 */
import { joinable, runnable } from '../core/index.js';
import {
  UpkeepError,
  type Failure,
  type OperationRequest,
  type OperationStep,
  type OperationView,
  type Requester,
} from '../protocol/index.js';
import type { Journal } from '../store/index.js';
import { deferred, type Deferred } from '../util/index.js';
import type { PlannedStep } from './plan.js';

const KEPT = 500;
const PROGRESS_MS = 50;

/** A step while it is done. */
export interface Step extends PlannedStep {
  readonly view: OperationStep;
  /** Aborted when a later stop or delete wants the service. */
  readonly abort: AbortController;
  /** Nothing of the service lives any more: what it depends on may stop, too. */
  readonly stopped: Deferred;
  /** Settles with the outcome; never rejects. */
  readonly ended: Deferred<boolean>;
}

export interface Operation {
  readonly id: string;
  readonly request: OperationRequest;
  readonly services: ReadonlySet<string>;
  readonly key: string;
  readonly steps: readonly Step[];
  readonly view: OperationView;
  /** Attempt numbers when it was accepted: after a crash of the daemon, a restart is done where they have grown. */
  readonly baseline: Readonly<Record<string, readonly number[]>>;
  readonly isResumed: boolean;
  /** It is on disk: from here on it will be done. */
  isAccepted: boolean;
  isRunning: boolean;
}

type Line =
  | { type: 'accepted'; request: OperationRequest; view: OperationView; baseline: Operation['baseline'] }
  | { type: 'ended'; view: OperationView };

export interface OperationHost {
  plan(request: OperationRequest): PlannedStep[];
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
  readonly #listeners = new Map<string, Set<(view: OperationView) => void>>();
  readonly #progressed = new Set<Operation>();
  #lastId = 0;

  constructor(journal: Journal, host: OperationHost) {
    this.#journal = journal;
    this.#host = host;
  }

  /** Reads the journal; answers what a former daemon accepted and did not end, to be given to `resume`. */
  load(): Extract<Line, { type: 'accepted' }>[] {
    const open = new Map<string, Extract<Line, { type: 'accepted' }>>();
    for (const line of this.#journal.read() as Line[]) {
      this.#lastId = Math.max(this.#lastId, Number(line.view.id));
      this.#views.set(line.view.id, line.view);
      if (line.type === 'accepted') open.set(line.view.id, line);
      else open.delete(line.view.id);
    }
    this.#forgetOld();
    const ended = [...this.#views.values()]
      .filter((view) => !open.has(view.id))
      .map((view): Line => ({ type: 'ended', view }));
    this.#journal.compact([...ended, ...open.values()]);
    return [...open.values()];
  }

  resume(lines: ReturnType<Operations['load']>): void {
    for (const { request, view, baseline } of lines) {
      const steps = view.steps.map((step): PlannedStep => {
        const spec =
          request.kind === 'up' ? request.services.find(({ name }) => name === step.service) : undefined;
        return { service: step.service, action: step.action, ...(spec ? { spec } : {}) };
      });
      this.#enqueue(createOperation(view.id, request, steps, { ...view, status: 'queued' }, baseline, true));
    }
    this.#runNext();
  }

  /** Resolves when the request is accepted, that is: on disk. */
  async request(request: OperationRequest, requester: Requester): Promise<OperationView> {
    const planned = this.#host.plan(request);
    const services = new Set(planned.map((step) => step.service));
    const key = JSON.stringify(request);
    const same = joinable(this.#queue, key, services);
    if (same) {
      same.view.joined.push(requester);
      return same.view;
    }
    const id = String(++this.#lastId);
    const baseline = this.#host.attempts([...services]);
    const operation = createOperation(
      id,
      request,
      planned,
      this.#newView(id, request, requester),
      baseline,
      false,
    );
    this.#enqueue(operation);
    await this.#journal.append({ type: 'accepted', request, view: operation.view, baseline } satisfies Line);
    operation.isAccepted = true;
    this.#supersede(operation);
    this.#runNext();
    return operation.view;
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
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    listener(this.find(id));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(id);
    };
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
    this.#tell(operation);
  }

  endStep(operation: Operation, step: Step, status: 'done' | 'failed' | 'skipped', failure?: Failure): void {
    step.view.status = status;
    step.view.finishedAt = this.#host.now();
    if (failure) step.view.failure = failure;
    step.stopped.resolve();
    step.ended.resolve(status === 'done');
    this.#tell(operation);
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }

  #newView(id: string, request: OperationRequest, requester: Requester): OperationView {
    return {
      id,
      kind: request.kind,
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
    await this.#journal.append({ type: 'ended', view } satisfies Line).catch(() => undefined); // a full disk undoes nothing
    this.#queue.splice(this.#queue.indexOf(operation), 1);
    this.#host.onChange(view);
    this.#tell(operation);
    this.#runNext();
  }

  /** Ends are told at once; progress at most every `PROGRESS_MS`: a hundred steps at a time are one piece of news. */
  #tell(operation: Operation): void {
    const { id, view } = operation;
    if (!hasEnded(view)) {
      if (this.#progressed.size === 0) setTimeout(() => this.#tellProgress(), PROGRESS_MS);
      this.#progressed.add(operation);
      return;
    }
    this.#progressed.delete(operation);
    for (const listener of [...(this.#listeners.get(id) ?? [])]) listener(view);
  }

  #tellProgress(): void {
    for (const { id, view } of this.#progressed) {
      for (const listener of [...(this.#listeners.get(id) ?? [])]) listener(view);
    }
    this.#progressed.clear();
  }

  #forgetOld(): void {
    for (const [id, view] of this.#views) {
      if (this.#views.size <= KEPT) return;
      if (hasEnded(view)) this.#views.delete(id);
    }
  }
}

export function hasEnded(view: OperationView): boolean {
  return view.status === 'succeeded' || view.status === 'failed';
}

function createOperation(
  id: string,
  request: OperationRequest,
  planned: readonly PlannedStep[],
  view: OperationView,
  baseline: Operation['baseline'],
  isResumed: boolean,
): Operation {
  const steps = planned.map((step): Step => {
    const stepView: OperationStep = {
      service: step.service,
      action: step.action,
      status: 'pending',
      startedAt: null,
      finishedAt: null,
    };
    return {
      ...step,
      view: stepView,
      abort: new AbortController(),
      stopped: deferred(),
      ended: deferred<boolean>(),
    };
  });
  view.steps = steps.map((step) => step.view);
  const services = new Set(planned.map((step) => step.service));
  return {
    id,
    request,
    services,
    key: JSON.stringify(request),
    steps,
    view,
    baseline,
    isResumed,
    isAccepted: isResumed,
    isRunning: false,
  };
}

function supersededBy(by: Operation, service: string): UpkeepError {
  return new UpkeepError(
    'superseded',
    `Cannot finish starting "${service}": operation ${by.id} (${by.request.kind}) came after it`,
  );
}

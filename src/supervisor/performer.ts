/** Does the steps of an operation: dependencies before dependents when starting, the other way round when stopping. */
import { UpkeepError, type Failure, type ServiceSpec } from '../protocol/index.js';
import { whyNotExecutable } from './attempt.js';
import { isPlain } from './environment.js';
import { isWorthShowing, toFailure } from './failure.js';
import type { Instance } from './instance.js';
import type { Operation, Step } from './operation.js';
import type { Operations } from './operations.js';
import { planSpec } from './plan.js';
import { whyNoPreload } from './execution.js';
import { Rollout, whyNoSurge } from './rollout.js';
import { inheritance } from './service-sockets.js';
import type { Service } from './service.js';

export interface PerformerHost {
  readonly services: ReadonlyMap<string, Service>;
  create(spec: ServiceSpec): Service;
  remove(service: Service): void;
  /** Resolves when the desired state, as it is now, is on disk. */
  save(): Promise<void>;
  onUpdated(service: string, keys: readonly string[]): void;
  /** Instances by another description come beside those that are known. */
  onRollout(): void;
  /** A release holds the services of the operation until it has switched them, or not. Records the outcome; never rejects. */
  hold(operation: Operation): Promise<void>;
  /** A bug: logged with its stack. */
  onInternalError(error: unknown): void;
}

/** How long after a failed save the next one is tried, where no operation comes before. */
const SAVE_AGAIN_MS = 5000;

const STARTING: ReadonlySet<Step['action']> = new Set([
  'create',
  'start',
  'restart',
  'reload',
  'update',
  'keep',
]);

export class Performer {
  readonly #host: PerformerHost;
  readonly #book: () => Operations;
  #saveAgain: NodeJS.Timeout | undefined;

  constructor(host: PerformerHost, book: () => Operations) {
    this.#host = host;
    this.#book = book;
  }

  async perform(operation: Operation): Promise<void> {
    // Who decides about it is outside.
    if (operation.request.kind === 'release') return this.#host.hold(operation);
    try {
      await this.#prepare(operation);
    } catch (error) {
      // A mistake of upkeep itself: who waits has to hear of it.
      const failure = toFailure(error, this.#host.onInternalError);
      for (const step of operation.steps) this.#book().endStep(operation, step, 'failed', failure);
      return;
    }
    await Promise.all(operation.steps.map((step) => this.#performStep(operation, step)));
    await this.#host.save().catch((error: Error) => this.#onUnsaved(operation, error));
  }

  async #prepare(operation: Operation): Promise<void> {
    for (const step of operation.steps) if (step.spec) this.#decideAgain(operation, step, step.spec);
    // Services exist before any step begins, so that steps find what they depend on.
    const fresh = operation.steps.filter((step) => step.action === 'create');
    for (const { spec } of fresh) this.#host.create(spec!);
    if (fresh.length > 0) await this.#saveAhead();
  }

  /** An operation before this one may have failed; a daemon before this one may have done a part of it. */
  #decideAgain(operation: Operation, step: Step, spec: ServiceSpec): void {
    const action = planSpec(spec, this.#host.services);
    // As described already, which does not mean that all of it runs.
    const isHalfDone = operation.isResumed && action === 'keep';
    if (!isHalfDone) step.action = action;
    else if (step.action !== 'keep' && step.action !== 'update') step.action = 'start';
    step.view.action = step.action;
  }

  /**
   * Before anything is spawned by a new description: a daemon that finds it running has to know it. Where this fails, so
   * does the save at the end, which tells.
   */
  #saveAhead(): Promise<void> {
    return this.#host.save().catch(() => undefined);
  }

  /** Done, but not durable: who asked has to know, and it is tried again until it is. */
  #onUnsaved(operation: Operation, error: Error): void {
    const failure: Failure = {
      code: 'internal',
      message: `Cannot save the state: ${error.message}`,
      hint: 'the operation itself is done; the state is saved as soon as the disk allows it',
    };
    for (const step of operation.steps) {
      if (step.view.status === 'done') this.#book().endStep(operation, step, 'failed', failure);
    }
    this.#saveLater();
  }

  #saveLater(): void {
    clearTimeout(this.#saveAgain);
    const save = (): void => void this.#host.save().catch(() => this.#saveLater());
    this.#saveAgain = setTimeout(save, SAVE_AGAIN_MS).unref();
  }

  async #performStep(operation: Operation, step: Step): Promise<void> {
    const book = this.#book();
    try {
      const service = this.#host.services.get(step.service);
      if (!service) {
        // Deleted by the step itself before a crash of the daemon, or by an operation in between.
        if (step.action === 'delete') return book.endStep(operation, step, 'done');
        throw new UpkeepError(
          'service-not-found',
          `Cannot ${step.action} "${step.service}": there is no such service any more`,
        );
      }
      await this.#do(operation, step, service);
      if (step.action !== 'signal') service.failure = undefined;
      book.endStep(operation, step, 'done');
    } catch (error) {
      const isSkipped = step.view.status === 'pending';
      const failure = toFailure(error, this.#host.onInternalError);
      const service = this.#host.services.get(step.service);
      if (service && step.action === 'reload' && isWorthShowing(failure))
        service.failure = { operation: operation.id, at: new Date().toISOString(), message: failure.message };
      book.endStep(operation, step, isSkipped ? 'skipped' : 'failed', failure);
    }
  }

  async #do(operation: Operation, step: Step, service: Service): Promise<void> {
    switch (step.action) {
      case 'create':
      case 'start':
        return this.#start(operation, step, service);
      case 'restart':
        return this.#restart(operation, step, service);
      case 'reload':
        return this.#reload(operation, step, service);
      case 'keep':
        return this.#book().beginStep(operation, step);
      case 'update':
        this.#book().beginStep(operation, step);
        return this.#update(operation, step, service);
      case 'stop':
      case 'delete':
        return this.#stop(operation, step, service);
      case 'scale':
        this.#book().beginStep(operation, step);
        if (operation.request.kind === 'scale')
          await this.#scale(operation, step, service, operation.request.instances);
        return;
      case 'signal':
        this.#book().beginStep(operation, step);
        return sendSignal(operation, service);
      case 'release': // see `perform`
        return;
    }
  }

  async #start(operation: Operation, step: Step, service: Service): Promise<void> {
    if (step.spec) service.update(step.spec);
    await this.#untilDependenciesAllow(operation, step, service);
    this.#book().beginStep(operation, step);
    step.abort.signal.throwIfAborted();
    service.start(operation.id);
    step.launched.resolve();
    await service.untilStarted(step.abort.signal);
    await service.sockets.settled();
    const note = noteSockets(service);
    if (note !== undefined) addNote(step, note);
  }

  async #restart(operation: Operation, step: Step, service: Service): Promise<void> {
    // With a new description it is that which tells, see `#decideAgain`.
    if (operation.isResumed && !step.spec && this.#wasRestarted(operation, service))
      return this.#start(operation, step, service);
    const stands = (other: Step): boolean => STARTING.has(other.action) && other !== step;
    const isAlone = !operation.steps.some(
      (other) => stands(other) && (this.#rests(other, step) || this.#rests(step, other)),
    );
    if (isAlone && !step.spec) {
      this.#book().beginStep(operation, step);
      validateRestart(service, service.spec);
      step.abort.signal.throwIfAborted();
      service.restart(askedBy(operation), operation.id);
      return service.untilStarted(step.abort.signal);
    }
    await this.#untilDependentsStopped(operation, step);
    this.#book().beginStep(operation, step);
    validateRestart(service, step.spec ?? service.spec);
    service.halt(askedBy(operation));
    await service.untilStopped();
    step.stopped.resolve();
    if (step.spec) {
      this.#replace(service, step.spec);
      await this.#saveAhead();
    }
    await this.#untilDependenciesAllow(operation, step, service);
    step.abort.signal.throwIfAborted();
    service.start(operation.id);
    step.launched.resolve();
    await service.untilStarted(step.abort.signal);
  }

  async #reload(operation: Operation, step: Step, service: Service): Promise<void> {
    const { instances, restart, schedule } = step.spec ?? service.spec;
    if (!service.isWanted) return this.#start(operation, step, service);
    // A job is done once, not twice side by side.
    if (restart.policy === 'never' || schedule?.run) return this.#restart(operation, step, service);
    const spec = Object.freeze({ ...(step.spec ?? service.spec), instances: service.spec.instances });
    try {
      await this.#untilDependenciesAllow(operation, step, service);
      this.#book().beginStep(operation, step);
      step.launched.resolve();
      const why = whyNoSurge(service, spec);
      if (why !== undefined) addNote(step, noteSwap(service.name, why));
      await this.#rollOut(operation, step, service, spec);
    } catch (error) {
      // What came after it stops the service, but as it is described now.
      if (step.spec && isSuperseded(error)) this.#replace(service, step.spec);
      throw error;
    }
    if (!step.spec) return;
    this.#replace(service, spec);
    await this.#scale(operation, step, service, instances);
  }

  async #rollOut(operation: Operation, step: Step, service: Service, spec: ServiceSpec): Promise<void> {
    const before = operation.baseline[service.name] ?? [];
    const rollout = new Rollout(service, {
      spec,
      askedBy: askedBy(operation),
      operation: operation.id,
      signal: step.abort.signal,
      isNewDescription: step.spec !== undefined,
      // With another description it is that which tells whether a former daemon replaced it.
      isDone: ({ attempt, index }) => operation.isResumed && !step.spec && attempt > (before[index] ?? 0),
      onProgress: (text) => this.#book().tellProgress(operation, step, text),
    });
    const watched = rollout.run();
    this.#host.onRollout();
    try {
      await watched;
    } catch (error) {
      if (step.spec && !isSuperseded(error)) await rollBack(operation, service, rollout.done);
      throw error;
    }
  }

  async #stop(operation: Operation, step: Step, service: Service): Promise<void> {
    await this.#untilDependentsStopped(operation, step);
    this.#book().beginStep(operation, step);
    service.stop(askedBy(operation));
    await service.untilStopped();
    if (step.action === 'delete') this.#host.remove(service);
  }

  async #update(operation: Operation, step: Step, service: Service): Promise<void> {
    const spec = step.spec!;
    const { instances } = service.spec;
    this.#replace(service, { ...spec, instances });
    await this.#scale(operation, step, service, spec.instances);
  }

  async #scale(operation: Operation, step: Step, service: Service, count: number): Promise<void> {
    service.scale(count, askedBy(operation), operation.id);
    await service.untilScaled(step.abort.signal);
  }

  #replace(service: Service, spec: ServiceSpec): void {
    service.update(spec);
    this.#host.onUpdated(service.name, Object.keys(spec));
  }

  async #untilDependenciesAllow(operation: Operation, step: Step, service: Service): Promise<void> {
    await Promise.all(
      Object.entries(service.spec.dependsOn).map(async ([name, condition]) => {
        const other = operation.steps.find(
          (candidate) => candidate.service === name && STARTING.has(candidate.action),
        );
        if (other) await (condition === 'started' ? other.launched : other.ended).promise;
        const dependency = this.#host.services.get(name);
        await dependency?.untilDependable(condition, service.name, step.abort.signal);
      }),
    );
  }

  async #untilDependentsStopped(operation: Operation, step: Step): Promise<void> {
    const dependents = operation.steps.filter((other) => other !== step && this.#rests(other, step));
    await Promise.all(dependents.map((dependent) => dependent.stopped.promise));
  }

  /** Whether `upper` depends directly on `lower`. */
  #rests(upper: Step, lower: Step): boolean {
    const spec = this.#host.services.get(upper.service)?.spec;
    return spec !== undefined && Object.hasOwn(spec.dependsOn, lower.service);
  }

  #wasRestarted(operation: Operation, service: Service): boolean {
    const before = operation.baseline[service.name] ?? [];
    return service.instances.every((instance) => instance.attempt > (before[instance.index] ?? 0));
  }
}

/** What runs is not ended for a program that is gone meanwhile: better the old one than none. */
function validateRestart({ name, instances }: Service, spec: ServiceSpec): void {
  if (!instances.some((instance) => instance.process)) return;
  // A file that the start will read may set another PATH.
  const isSure = spec.argv[0]!.includes('/') || isPlain(spec);
  const why = isSure ? whyNotExecutable(spec, spec.env['PATH']?.value) : undefined;
  if (!why) return;
  throw new UpkeepError('start-failed', `Cannot restart "${name}": ${why.fact}`, {
    hint: `what runs was left alone${why.hint === undefined ? '' : `; ${why.hint}`}`,
  });
}

/** What everything went well in spite of. */
function addNote({ view }: Step, note: string): void {
  view.notes = [...(view.notes ?? []), note];
}

/** Half of the instances by one description and half by another would be neither. */
async function rollBack(operation: Operation, service: Service, indices: readonly number[]): Promise<void> {
  for (const index of indices) {
    const instance = service.instances[index]!;
    instance.spec = service.spec;
    instance.restart(`${askedBy(operation)}, rolled back`, operation.id);
    await service.until(() => instance.status !== 'stopping' && instance.status !== 'starting');
  }
}

function isSuperseded(error: unknown): boolean {
  return error instanceof UpkeepError && error.code === 'superseded';
}

/** What a program cannot be helped with, said when it starts. */
function noteSockets({ name, spec, sockets }: Service): string | undefined {
  const why = whyNoPreload(spec);
  if (why !== undefined) return `${name}: ${why}; its ports are not held, and it is not drained`;
  const isHeld = spec.ports.every(({ port }) => sockets.isHeld(port));
  if (inheritance(spec) !== 'learn' || isHeld) return undefined;
  return `${name}: it opens its ports by itself, so connections are refused while it restarts; if it takes LISTEN_FDS, set sockets: systemd`;
}

function noteSwap(service: string, why: string): string {
  return `${service}: ${why}, so each instance was stopped before its successor started`;
}

function askedBy(operation: Operation): string {
  return `operation ${operation.id} (${operation.request.kind})`;
}

function sendSignal(operation: Operation, service: Service): void {
  if (operation.request.kind !== 'signal') return;
  const { signal } = operation.request;
  const meant = operation.baseline[service.name] ?? [];
  // A former daemon may have sent it: it must not reach what was started since.
  const isMeant = ({ attempt, index }: Instance): boolean => !operation.isResumed || attempt === meant[index];
  const reached = service.instances.filter(
    (instance) => isMeant(instance) && instance.signal(signal, askedBy(operation)),
  );
  if (reached.length > 0) return;
  if (operation.isResumed) throw uncertainSignal(signal, service.name);
  throw new UpkeepError('not-running', `Cannot send ${signal} to "${service.name}": it does not run`, {
    hint: `start it: upkeep start ${service.name}`,
  });
}

function uncertainSignal(signal: string, service: string): UpkeepError {
  return new UpkeepError(
    'interrupted',
    `Cannot tell whether ${signal} reached "${service}": the daemon ended before it said so`,
  );
}

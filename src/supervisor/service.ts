/** One configured service: its instances, its log, whether it is wanted. Carries out what operations ask for. */
import { serviceStatus } from '../core/index.js';
import { ServiceLog } from '../logs/index.js';
import {
  UpkeepError,
  type DependencyCondition,
  type ExitView,
  type InstanceStatus,
  type ServiceSpec,
  type ServiceStatus,
} from '../protocol/index.js';
import type { FoundAttempt } from './adoption.js';
import type { StoredService } from '../store/index.js';
import { logFolder, type SupervisorContext } from './context.js';
import { Instance } from './instance.js';
import { Schedule } from './schedule.js';
import { watchFiles, type FileWatch } from './file-watch.js';

/** What is kept of a service beside its specification, by instance. */
export type ServiceHistory = Pick<StoredService, 'isWanted' | 'attempts' | 'completed'>;

/** What a service asks of the supervisor by itself. */
export interface ServiceTriggers {
  /** A restart as an operation of its own. */
  onRestartWanted(service: string, why: string): void;
  onWarning(service: string, message: string): void;
  /** An instance has done its work: worth to be remembered. */
  onCompleted(): void;
}

export class Service {
  readonly log: ServiceLog;
  readonly instances: Instance[] = [];
  readonly #context: SupervisorContext;
  readonly #triggers: ServiceTriggers;
  readonly #listeners = new Set<() => void>();
  #spec: ServiceSpec;
  #isWanted = false;
  #isDetached = false;
  #schedule: Schedule | undefined;
  #watch: FileWatch | undefined;
  /** Attempt numbers of instances that were scaled away: their successors go on counting. */
  readonly #lastAttempts: number[];

  constructor(
    spec: ServiceSpec,
    context: SupervisorContext,
    triggers: ServiceTriggers,
    stored: ServiceHistory = { isWanted: false, attempts: [], completed: [] },
  ) {
    this.#spec = spec;
    this.#context = context;
    this.#triggers = triggers;
    // From the first moment: whatever is saved while a daemon begins must not forget it.
    this.#isWanted = stored.isWanted;
    this.#lastAttempts = [...stored.attempts];
    this.log = new ServiceLog(logFolder(context.home), spec.name);
    this.#fill(stored.completed);
  }

  get name(): string {
    return this.#spec.name;
  }

  get spec(): ServiceSpec {
    return this.#spec;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  get restarts(): number {
    return this.instances.reduce((sum, instance) => sum + instance.restarts, 0);
  }

  get status(): ServiceStatus {
    return serviceStatus(this.instances.map((instance) => this.instanceStatus(instance)));
  }

  instanceStatus(instance: Instance): InstanceStatus {
    return this.#schedule?.nextRun && this.#isWanted && instance.isAtRest ? 'scheduled' : instance.status;
  }

  /** When the next start or run of an instance is due, wall clock. */
  nextStartAt(instance: Instance): Date | undefined {
    if (this.instanceStatus(instance) === 'scheduled') return this.#schedule?.nextRun;
    const { clock } = this.#context;
    const at = instance.nextStartAt;
    return at === undefined ? undefined : new Date(clock.wall().getTime() + Math.max(0, at - clock.now()));
  }

  /** The last attempt number of each instance, for the state file. */
  get attempts(): number[] {
    this.#noteAttempts();
    return [...this.#lastAttempts];
  }

  /** By instance, for the state file: how it ended, where it has done its work. */
  get completed(): (ExitView | null)[] {
    return this.instances.map(({ status, exit }) => (status === 'completed' && exit ? exit : null));
  }

  start(operation: string | null): void {
    this.arm();
    if (this.#spec.schedule?.run) return; // the schedule starts it
    for (const instance of this.instances) instance.start(operation);
  }

  /** Wanted from now on: schedules and watches begin. */
  arm(): void {
    this.#isWanted = true;
    this.#disarm();
    const { schedule, watch, name } = this.#spec;
    if (schedule)
      this.#schedule = new Schedule(schedule, this, (why) => this.#triggers.onRestartWanted(name, why));
    if (watch) {
      this.#watch = watchFiles(watch, this.#spec.cwd, {
        onChange: (file) => this.#triggers.onRestartWanted(name, `watch: ${file} changed`),
        onError: (message) => this.#triggers.onWarning(name, message),
      });
    }
  }

  stop(askedBy: string): void {
    this.#isWanted = false;
    this.#disarm();
    for (const instance of this.instances) instance.stop(askedBy);
  }

  /** Ends what lives but stays wanted, as the first half of a restart. */
  halt(askedBy: string): void {
    this.#disarm();
    for (const instance of this.instances) instance.stop(askedBy);
  }

  restart(askedBy: string, operation: string | null): void {
    this.arm();
    for (const instance of this.instances) instance.restart(askedBy, operation);
  }

  /** What takes effect without touching a running instance; where none runs, also another number of them. */
  update(spec: ServiceSpec): void {
    this.#spec = Object.freeze(spec);
    this.#fill();
    if (this.instances.every((instance) => instance.isAtRest)) this.#forgetSurplus();
    if (this.#isWanted) this.arm();
  }

  /** Adds instances at the end; the ones beyond the wanted number are stopped and, once at rest, forgotten. */
  scale(count: number, askedBy: string, operation: string | null): void {
    this.#spec = Object.freeze({ ...this.#spec, instances: count });
    for (const instance of this.instances.slice(count)) instance.stop(askedBy);
    this.#fill();
    if (!this.#isWanted || this.#spec.schedule?.run) return;
    for (const instance of this.instances.slice(0, count)) {
      if (instance.status === 'stopped') instance.start(operation);
    }
  }

  /** Called after each change of an instance. */
  onInstanceChange(instance: Instance): void {
    // What is scheduled will run again anyway.
    if (instance.status === 'completed' && !this.#spec.schedule?.run) this.#triggers.onCompleted();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves as soon as `isSo`; looks after each change. */
  until(isSo: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (!isSo()) return;
          resolve();
        } catch (error) {
          reject(error);
        }
        end();
      };
      const abort = (): void => {
        reject(signal!.reason as Error);
        end();
      };
      const end = (): void => {
        this.#listeners.delete(look);
        signal?.removeEventListener('abort', abort);
      };
      this.#listeners.add(look);
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
      else look();
    });
  }

  /** Resolves when every instance runs or has done its work; rejects when one failed before that. */
  async untilStarted(signal: AbortSignal): Promise<void> {
    await this.until(() => this.instances.every((instance) => this.#hasStarted(instance)), signal);
  }

  async untilStopped(): Promise<void> {
    await this.until(() => this.instances.every((instance) => instance.isAtRest));
    this.#forgetSurplus();
  }

  /** Resolves when the surplus of a scaling down is gone. */
  async untilScaled(signal: AbortSignal): Promise<void> {
    await this.until(() => this.instances.slice(this.#spec.instances).every((instance) => instance.isAtRest));
    this.#forgetSurplus();
    if (this.#isWanted) await this.untilStarted(signal);
  }

  /** Resolves when dependents may start; rejects when that can no longer come by itself. */
  async untilDependable(
    condition: DependencyCondition,
    dependent: string,
    signal: AbortSignal,
  ): Promise<void> {
    await this.until(() => this.#isDependable(condition, dependent), signal);
  }

  adopt(found: FoundAttempt): Instance {
    // Where a scaling down was cut off there are more than there should be.
    while (this.instances.length <= found.instance) this.#add(this.instances.length);
    const instance = this.instances[found.instance]!;
    instance.adopt(found);
    return instance;
  }

  detach(): void {
    this.#isDetached = true;
    this.#disarm();
    for (const instance of this.instances) instance.detach();
    this.log.close();
  }

  close(): void {
    this.#disarm();
    this.log.close();
  }

  /** `completed`: what a former daemon knew of instances that had done their work. */
  #fill(completed: ServiceHistory['completed'] = []): void {
    while (this.instances.length < this.#spec.instances) {
      const index = this.instances.length;
      this.#add(index, completed[index] ?? null);
    }
  }

  #add(index: number, completed: ExitView | null = null): Instance {
    const attempt = this.#lastAttempts[index] ?? 0;
    const instance = new Instance(this, this.#context, index, { attempt, completed });
    this.instances[index] = instance;
    // An operation in progress may ask for more: that is the next daemon's.
    if (this.#isDetached) instance.detach();
    return instance;
  }

  #noteAttempts(): void {
    for (const instance of this.instances) this.#lastAttempts[instance.index] = instance.attempt;
  }

  /** Instances beyond the wanted number, all at rest. */
  #forgetSurplus(): void {
    this.#noteAttempts();
    this.instances.splice(this.#spec.instances);
  }

  #disarm(): void {
    this.#schedule?.end();
    this.#schedule = undefined;
    this.#watch?.close();
    this.#watch = undefined;
  }

  #hasStarted(instance: Instance): boolean {
    if (instance.failedStart) throw startFailure(this.name, instance.failedStart);
    switch (this.instanceStatus(instance)) {
      case 'running':
      case 'scheduled':
        return true;
      case 'completed':
        if (instance.exit && instance.exit.code !== 0) throw startFailure(this.name, instance.exit);
        return true;
      case 'crashed':
      case 'waiting':
        throw startFailure(this.name, instance.exit);
      case 'stopped':
        throw new UpkeepError('superseded', `Cannot start "${this.name}": it was stopped meanwhile`);
      case 'starting':
      case 'stopping':
        return false;
    }
  }

  #isDependable(condition: DependencyCondition, dependent: string): boolean {
    const fail = (fact: string): never => {
      throw new UpkeepError(
        'dependency-failed',
        `Cannot start "${dependent}": it depends on "${this.name}", which ${fact}`,
        {
          hint: `see why: upkeep show ${this.name}; then start it: upkeep start ${dependent}`,
        },
      );
    };
    const statuses = this.instances.map((instance) => this.instanceStatus(instance));
    if (condition === 'completed') {
      const bad = this.instances.find(
        (instance) => instance.status === 'completed' && instance.exit?.code !== 0,
      );
      if (bad) return fail(`ended with ${bad.exit?.reason ?? 'an unknown result'}`);
      if (statuses.every((status) => status === 'stopped')) return fail('is stopped');
      return statuses.every((status) => status === 'completed');
    }
    const failed = this.instances.find((instance) => instance.failedStart !== undefined);
    if (failed) return fail(`did not start: ${failed.failedStart!.reason}`);
    if (!this.#isWanted) return fail('is stopped');
    if (statuses.includes('crashed')) return fail('is crashed');
    if (condition === 'started')
      return this.instances.every((instance, index) => instance.process || isSettled(statuses[index]!));
    const areReady = statuses.every(isSettled);
    return (
      areReady && (condition === 'ready' || this.instances.every((instance) => instance.isHealthy === true))
    );
  }
}

/** It is as up as it gets: ready, or not meant to live at this moment. */
function isSettled(status: InstanceStatus): boolean {
  return status === 'running' || status === 'scheduled' || status === 'completed';
}

function startFailure(service: string, exit: ExitView | undefined): UpkeepError {
  const isLate = exit?.askedBy?.includes('not ready within') ?? false;
  const fact = isLate ? exit!.askedBy!.replace('upkeep: ', '') : (exit?.reason ?? 'its end is unknown');
  // A failure to prepare is worded in full already.
  const message = fact.startsWith('Cannot ') ? fact : `Cannot start "${service}": ${fact}`;
  const lines = exit?.lastLines ?? [];
  return new UpkeepError(isLate ? 'not-ready' : 'start-failed', message, {
    hint: startHint(service, exit),
    details: { lines },
  });
}

function startHint(service: string, exit: ExitView | undefined): string {
  if (exit?.code === 0 && exit.leftBehind > 0) {
    return 'it went into the background; start it in the foreground (without --daemon or the like)';
  }
  return exit && exit.lastLines.length > 0
    ? `all of its output: upkeep logs ${service}`
    : `what happens next: upkeep show ${service}`;
}

/** One configured service: its instances, its log, whether it is wanted. Carries out what operations ask for. */
import { mayTakeOut, serviceStatus } from '../core/index.js';
import { ServiceLog } from '../logs/index.js';
import type {
  DependencyCondition,
  ExitView,
  InstanceStatus,
  ServiceSpec,
  ServiceStatus,
  ServiceView,
} from '../protocol/index.js';
import type { FoundAttempt } from './adoption.js';
import type { StoredHold, StoredService } from '../store/index.js';
import { logFolder, type SupervisorContext } from './context.js';
import type { Listening } from './channel.js';
import { Instance, type InstanceOwner, type InstanceSetup } from './instance.js';
import { Schedule } from './schedule.js';
import { readEnvironment, readProcess, readTree, type ProcessId } from '../system/index.js';
import { storedSecretValues } from './environment.js';
import { socketsFrom } from './execution.js';
import { hasStarted, isDependable } from './service-outcome.js';
import { inheritance, ServiceSockets } from './service-sockets.js';
import { SocketGuard } from './socket-guard.js';
import { watchFiles, type FileWatch } from './file-watch.js';

/** How long the first of several instances has to open a port that was not declared. */
const LEARN_MS = 2000;

/** What is kept of a service beside its specification, by instance. */
export type ServiceHistory = Omit<StoredService, 'spec'>;

/** What a service asks of the supervisor by itself. */
export interface ServiceTriggers {
  /** A restart as an operation of its own. */
  onRestartWanted(service: string, why: string): void;
  onWarning(service: string, message: string): void;
  /**
   * Something that the next daemon has to know: an instance has done its work, a socket was learned.
   * Resolves when it is on disk, or cannot be.
   */
  onNoteworthy(): Promise<void>;
}

export class Service implements InstanceOwner {
  readonly log: ServiceLog;
  readonly sockets: ServiceSockets;
  /** Those that serve, or should: by index. */
  readonly instances: Instance[] = [];
  /** The last change that failed, until one succeeds. */
  failure: ServiceView['failure'];
  /** What a release has done to it, for the daemon that comes after this one. */
  hold: StoredHold | undefined;
  /** During a reload: new ones that do not serve yet, old ones that go. */
  readonly #others: Instance[] = [];
  readonly #guard: SocketGuard;
  /** Instances that start once the first one has shown what they share. */
  readonly #later = new Set<Instance>();
  readonly #context: SupervisorContext;
  readonly #triggers: ServiceTriggers;
  readonly #listeners = new Set<() => void>();
  #spec: ServiceSpec;
  /** What it is on disk from the next save on, and here once that is done. */
  #proposal: { readonly spec: ServiceSpec; readonly isWanted: boolean } | undefined;
  #isWanted = false;
  #isDetached = false;
  #schedule: Schedule | undefined;
  #watch: FileWatch | undefined;
  /** Also of instances that were scaled away: their successors go on counting. */
  readonly #lastAttempts: number[];
  readonly #lastRestarts: number[];

  constructor(
    spec: ServiceSpec,
    context: SupervisorContext,
    triggers: ServiceTriggers,
    stored: ServiceHistory = { isWanted: false, attempts: [], restarts: [], completed: [], listens: [] },
  ) {
    this.#spec = spec;
    this.#context = context;
    this.#triggers = triggers;
    // From the first moment: whatever is saved while a daemon begins must not forget it.
    this.#isWanted = stored.isWanted;
    this.#lastAttempts = [...stored.attempts];
    this.#lastRestarts = [...stored.restarts];
    this.hold = stored.hold;
    this.log = new ServiceLog(logFolder(context.home), spec.name);
    this.#hideSecretsOf(spec);
    const { launcher, heldSockets } = context;
    this.sockets = new ServiceSockets(spec.name, launcher, stored.listens, heldSockets[spec.name]);
    this.#guard = new SocketGuard(this, context.clock);
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

  /** For the state file. */
  get stored(): StoredService {
    const { hold, attempts, restarts, completed } = this;
    return {
      spec: this.#proposal?.spec ?? this.#spec,
      isWanted: this.#proposal?.isWanted ?? this.#isWanted,
      attempts,
      restarts,
      completed: this.#proposal ? [] : completed,
      listens: [...this.sockets.learned],
      ...(hold ? { hold } : {}),
    };
  }

  /** Also those that a reload or release adds or lets go. */
  get all(): readonly Instance[] {
    return [...this.instances, ...this.#others];
  }

  /** All of one index: the one that serves, and those that a reload adds or lets go. */
  at(index: number): readonly Instance[] {
    const serving = this.instances[index];
    const others = this.#others.length === 0 ? [] : this.#others.filter((other) => other.index === index);
    return serving ? [serving, ...others] : others;
  }

  /** By instance, also of those that were scaled away: the sum never falls. */
  get restarts(): number[] {
    this.#noteRestarts();
    return [...this.#lastRestarts];
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
    const [first, ...rest] = this.instances;
    first?.start(operation);
    if (first && rest.length > 0 && this.#mayLearn()) return void this.#startLater(first, rest, operation);
    for (const instance of rest) instance.start(operation);
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
    this.#later.clear();
    for (const instance of this.all) instance.stop(askedBy);
    this.#guard.look();
  }

  /** Ends what lives but stays wanted, as the first half of a restart. */
  halt(askedBy: string): void {
    this.#disarm();
    this.#later.clear();
    for (const instance of this.all) instance.stop(askedBy);
  }

  restart(askedBy: string, operation: string | null): void {
    this.arm();
    for (const instance of this.instances) instance.restart(askedBy, operation);
  }

  /** What takes effect without touching a running instance; where none runs, also another number of them. */
  update(spec: ServiceSpec): void {
    this.#spec = Object.freeze(spec);
    for (const instance of this.instances) instance.spec = this.#spec;
    this.sockets.prune(this.#spec);
    this.#fill();
    if (this.instances.every((instance) => instance.isAtRest)) this.#forgetSurplus();
    if (this.#isWanted) this.arm();
  }

  /** Adds instances at the end; the ones beyond the wanted number are stopped and, once at rest, forgotten. */
  scale(count: number, askedBy: string, operation: string | null): void {
    this.#spec = Object.freeze({ ...this.#spec, instances: count });
    for (const instance of this.instances) instance.spec = this.#spec;
    for (const instance of this.instances.slice(count)) instance.stop(askedBy);
    this.#fill();
    if (!this.#isWanted || this.#spec.schedule?.run) return;
    for (const instance of this.instances.slice(0, count)) {
      if (instance.status === 'stopped') instance.start(operation);
    }
  }

  /** Called after each change of an instance. */
  onInstanceChange(): void {
    this.#guard.look();
    this.onNews();
    this.#takeOutCondemned();
  }

  /** Those that probes want out, as far as the others allow it. */
  #takeOutCondemned(): void {
    for (const instance of this.instances.filter(({ isCondemned }) => isCondemned)) {
      if (mayTakeOut(this.instances.filter((other) => other !== instance))) instance.takeOut();
    }
  }

  onCompleted(): Promise<void> | undefined {
    // What is scheduled will run again anyway.
    return this.#spec.schedule?.run ? undefined : this.#triggers.onNoteworthy();
  }

  onListening(instance: Instance, listening: Listening): void {
    if (listening.how === 'own') void this.#learn(instance, listening);
    this.#guard.onListening(instance);
    if (listening.how === 'held') this.sockets.isShown = true;
    this.onNews();
  }

  /**
   * A wrapper (nodemon) has started another server in the place of one that is gone. It was started before that one showed its socket,
   * and cannot hand it on: what is held of it would be in the way of the new one.
   */
  onProcess({ listening }: Instance): void {
    const isGone = ({ how, pid }: Listening): boolean => how === 'own' && !isLiving(pid);
    const gone = listening.filter(isGone);
    if (gone.length === 0) return;
    const living = this.all.flatMap((each) => each.listening).filter(({ pid }) => isLiving(pid));
    for (const each of gone) if (!living.some(({ port }) => port === each.port)) this.sockets.giveBack(each);
  }

  onClosed(instance: Instance): void {
    this.#guard.onClosed(instance);
  }

  portsOf(index: number): number[] {
    const listening = this.instances[index]?.listening ?? [];
    return listening.filter(({ how, port }) => how !== 'free' && port > 0).map(({ port }) => port);
  }

  takenAttempt(index: number): number {
    const numbers = this.at(index).map(({ attempt }) => attempt);
    return Math.max(this.#lastAttempts[index] ?? 0, ...numbers);
  }

  /**
   * A new instance beside the one that serves: `new` takes no traffic before it is promoted or joins, `joined` does from the
   * beginning.
   */
  addCandidate(index: number, spec: ServiceSpec, role: 'new' | 'joined' = 'new'): Instance {
    const candidate = this.#create({ index, spec, role, attempt: this.takenAttempt(index) });
    this.#others.push(candidate);
    return candidate;
  }

  /** Those that a release has added. */
  get guests(): readonly Instance[] {
    return this.#others.filter(({ role }) => role === 'new' || role === 'joined');
  }

  /** What it is to be on disk from the next save on; undefined: what it is. */
  propose(spec: ServiceSpec | undefined, isWanted = true): void {
    this.#proposal = spec && { spec, isWanted };
  }

  /** From now on the guests, all of which have joined, are its instances; answers those that were. */
  exchange(spec: ServiceSpec, guests: readonly Instance[]): readonly Instance[] {
    this.#noteRestarts();
    const wasWanted = this.#isWanted;
    const old = this.instances.splice(0);
    this.#others.splice(0, Infinity, ...this.#others.filter((other) => !guests.includes(other)), ...old);
    for (const instance of old) instance.role = 'old';
    this.#proposal = undefined;
    this.#spec = Object.freeze(spec);
    for (const guest of guests) {
      const isSuccessor = wasWanted && guest.index < old.length;
      guest.restarts = (this.#lastRestarts[guest.index] ?? 0) + (isSuccessor ? 1 : 0);
      this.instances[guest.index] = guest;
      guest.serve();
    }
    this.#fill();
    this.arm();
    this.onInstanceChange();
    return old;
  }

  /** From now on the candidate is the instance of this index; answers the one that was. */
  async promote(candidate: Instance): Promise<Instance> {
    await candidate.promote();
    const { index } = candidate;
    const old = this.instances[index]!;
    candidate.restarts = old.restarts + 1;
    old.role = 'old';
    this.instances[index] = candidate;
    this.#others.splice(this.#others.indexOf(candidate), 1, old);
    this.onInstanceChange();
    return old;
  }

  /** Ends an instance that does not serve, and forgets it. */
  async dismiss(instance: Instance, askedBy: string): Promise<void> {
    instance.stop(askedBy);
    await this.until(() => instance.isAtRest);
    this.#noteAttempts();
    const place = this.#others.indexOf(instance);
    if (place >= 0) this.#others.splice(place, 1); // or somebody else has dismissed it as well
    this.onNews();
  }

  /** In the place of one that is at rest, by another description. */
  replace(index: number, spec: ServiceSpec): Instance {
    const old = this.instances[index]!;
    const instance = this.#create({ index, spec, attempt: this.takenAttempt(index) });
    instance.restarts = old.restarts + 1;
    this.instances[index] = instance;
    return instance;
  }

  onLauncherLost(): void {
    this.sockets.onLauncherLost();
    for (const instance of this.all) {
      instance.onLauncherLost();
      if (instance.shim) this.#regain(instance.shim);
      for (const each of instance.listening) if (each.how === 'own') void this.#learn(instance, each);
    }
  }

  /** Something was seen that somebody may wait for. */
  onNews(): void {
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
    const hasIt = (instance: Instance): boolean => !this.#later.has(instance) && hasStarted(this, instance);
    await this.until(() => this.instances.every(hasIt), signal);
  }

  async untilStopped(): Promise<void> {
    await this.until(() => this.all.every((instance) => instance.isAtRest));
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
    await this.until(() => isDependable(this, condition, dependent), signal);
  }

  /** What an attempt of a former daemon was given; before it is let go, if it has ended meanwhile. */
  regainSockets({ shim }: FoundAttempt): void {
    if (shim) this.#regain(shim);
  }

  /** `guestSpec`: what those are that have joined. */
  adopt(found: FoundAttempt, guestSpec: ServiceSpec = this.#spec): void {
    const instance =
      found.role === 'serving' ? this.#adoptServing(found) : this.#adoptOther(found, guestSpec);
    instance.adopt(found);
  }

  #adoptServing({ instance: index }: FoundAttempt): Instance {
    // Where a scaling down was cut off there are more than there should be.
    while (this.instances.length <= index) this.#add(this.instances.length);
    return this.instances[index]!;
  }

  #adoptOther({ instance: index, role, attempt }: FoundAttempt, guestSpec: ServiceSpec): Instance {
    const spec = role === 'joined' ? guestSpec : this.#spec;
    if (spec !== this.#spec) this.#hideSecretsOf(spec);
    const other = this.#create({ index, spec, role, attempt });
    this.#others.push(other);
    return other;
  }

  /**
   * What a reload or release of a former daemon did not finish: new ones that never served, old ones that were leaving. `but`: who
   * stays.
   */
  dismissOthers(but: readonly Instance[] = []): void {
    for (const instance of [...this.#others])
      if (!but.includes(instance)) void this.dismiss(instance, 'upkeep: it does not serve any more');
  }

  detach(): void {
    this.#isDetached = true;
    this.#disarm();
    for (const instance of this.all) instance.detach();
    this.#guard.end();
  }

  close(): void {
    this.#disarm();
    this.#guard.end();
    this.sockets.close({ isShared: true });
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
    const instance = this.#create({ index, spec: this.#spec, attempt, completed });
    instance.restarts = this.#lastRestarts[index] ?? 0;
    this.instances[index] = instance;
    return instance;
  }

  #create(setup: InstanceSetup): Instance {
    const instance = new Instance(this, this.#context, setup);
    // An operation in progress may ask for more: that is the next daemon's.
    if (this.#isDetached) instance.detach();
    return instance;
  }

  /** What attempts of a former daemon have written may be quoted when nobody can read any more what they were given. */
  #hideSecretsOf(spec: ServiceSpec): void {
    for (const value of storedSecretValues(spec)) this.log.secrets.add(value);
  }

  #noteAttempts(): void {
    for (const { index, attempt } of this.all)
      this.#lastAttempts[index] = Math.max(this.#lastAttempts[index] ?? 0, attempt);
  }

  #noteRestarts(): void {
    for (const { index, restarts } of this.instances) this.#lastRestarts[index] = restarts;
  }

  /** What the shim of an attempt was given, from its environment. */
  #regain(shim: ProcessId): void {
    const environment = readEnvironment(shim.pid);
    if (environment) this.sockets.regain(socketsFrom(environment), environment['UPKEEP_RUN']!);
  }

  /** Only what belongs to this instance: the application says which process it is, and might say anything. */
  async #learn({ shim }: Instance, listening: Listening): Promise<void> {
    if (!shim || inheritance(this.#spec) === 'off') return;
    const owner = readTree(shim.pid).find(({ pid }) => pid === listening.pid);
    if (!owner || !(await this.sockets.learn(listening, owner))) return;
    // Worth to be remembered.
    void this.#triggers.onNoteworthy();
    this.onNews();
  }

  /** Instances beyond the wanted number, all at rest. */
  #forgetSurplus(): void {
    this.#noteAttempts();
    this.#noteRestarts();
    this.instances.splice(this.#spec.instances);
    this.#guard.look();
  }

  #disarm(): void {
    this.#schedule?.end();
    this.#schedule = undefined;
    this.#watch?.close();
    this.#watch = undefined;
  }

  /**
   * Copies of a Node application would fight for a port that is nowhere declared, or declared without the address that
   * they use: the first one shows it.
   */
  #mayLearn(): boolean {
    return inheritance(this.#spec) === 'node' && !this.sockets.isShown;
  }

  async #startLater(first: Instance, rest: readonly Instance[], operation: string | null): Promise<void> {
    for (const instance of rest) this.#later.add(instance);
    const enough = AbortSignal.timeout(LEARN_MS);
    const hasShown = (): boolean => this.sockets.isShown || !isComing(first);
    await this.until(hasShown, enough).catch(() => undefined);
    for (const instance of rest) if (this.#later.delete(instance)) instance.start(operation);
    this.onNews();
  }
}

function isLiving(pid: number): boolean {
  const row = readProcess(pid);
  return row !== undefined && row.state !== 'Z';
}

/** It may still open a port. */
function isComing({ status }: Instance): boolean {
  return status === 'starting' || status === 'running';
}

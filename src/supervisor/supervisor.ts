/** The public face: what there is, what is asked for, what was left by the daemon before. */
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { reconcile, startOrder } from '../core/index.js';
import { Explainer, type ExitQuestion } from '../forensics/index.js';
import { Archiver, type ServiceLog } from '../logs/index.js';
import {
  type EnvironmentView,
  type InstanceTree,
  type OperationRequest,
  type OperationSummary,
  type OperationView,
  type Requester,
  type ServiceDetail,
  type ServiceSpec,
  type ServiceView,
  type SpecChange,
  type WhyView,
} from '../protocol/index.js';
import type { Journal, StateFile } from '../store/index.js';
import {
  createFifo,
  Launcher,
  openFifo,
  parseReport,
  readProcessTable,
  type FifoReader,
} from '../system/index.js';
import { findAttempts } from './adoption.js';
import { eventsPath, logFolder, parseRunName, runFolder, type SupervisorContext } from './context.js';
import { redactSpec, resolveEnvironment, toEntries } from './environment.js';
import type { Instance } from './instance.js';
import { Meter, type Counted } from './meter.js';
import { MemoryWatch } from './memory-watch.js';
import { Operations } from './operations.js';
import { Performer } from './performer.js';
import { foresee, planSteps, requireService } from './plan.js';
import { viewTree } from './process-tree.js';
import { identify, nameOf, type ManagedInstance } from './requester.js';
import { ProbeClock, type ProbeTimes } from './probe-times.js';
import { Sampler } from './sampler.js';
import { Service, type ServiceTriggers } from './service.js';
import type { Switchover, SwitchoverWish } from './switchover.js';
import { Switchovers } from './switchover/switchovers.js';
import { viewService } from './view.js';

function summarize({ id, kind, status, steps }: OperationView): OperationSummary {
  return { operation: id, kind, status, services: steps.map((step) => step.service) };
}

/** The daemon itself, where it asks for an operation. */
const SELF: Requester = {
  uid: process.getuid?.() ?? null,
  pid: process.pid,
  command: 'upkeep daemon',
  service: null,
  instance: null,
  attempt: null,
};
/** How often adopted shims, which are no children of this daemon, are looked at. */
const SHIM_POLL_MS = 5000;
/** A shim reports within milliseconds of its launch. */
const LAUNCH_MS = 2000;
const LAUNCH_POLL_MS = 5;

export interface SupervisorOptions extends Omit<
  SupervisorContext,
  'launcher' | 'heldSockets' | 'explainer' | 'probes'
> {
  /** How long a release of a former daemon stays half-way where nobody goes on with it. @default 60 s */
  readonly unaskedMs?: number;
}

/** What one supervisor leaves to the next at once, beside what is on disk. */
export interface Handover {
  readonly launcher: Launcher;
  readonly heldSockets: SupervisorContext['heldSockets'];
}

export interface SupervisorStorage {
  readonly state: StateFile;
  readonly journal: Journal;
  readonly onInternalError: (error: unknown) => void;
}

export class Supervisor {
  readonly #context: SupervisorContext;
  readonly #storage: SupervisorStorage;
  readonly #services = new Map<string, Service>();
  readonly #sampler: Sampler;
  readonly #meter: Meter;
  readonly #memory: MemoryWatch;
  readonly #operations: Operations;
  readonly #switchovers: Switchovers;
  #reports: FifoReader | undefined;
  #archiver: Archiver | undefined;
  #shimPoll: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions, storage: SupervisorStorage, handover?: Handover) {
    const { launcher, heldSockets } = handover ?? {
      launcher: new Launcher(eventsPath(options.home)),
      heldSockets: {},
    };
    launcher.onLost = () => {
      for (const service of this.#services.values()) service.onLauncherLost();
    };
    const explainer = new Explainer(options);
    const probes = new ProbeClock();
    const context: SupervisorContext = { ...options, launcher, heldSockets, explainer, probes };
    this.#context = context;
    this.#storage = storage;
    this.#sampler = new Sampler(() => context.clock.now());
    this.#meter = new Meter(new Sampler(() => context.clock.now()));
    this.#memory = new MemoryWatch(this.#services, this.#sampler);
    const host = this.#performerHost();
    this.#switchovers = new Switchovers({
      ...host,
      book: () => this.#operations,
      sample: (instances) => this.#sampler.sample(instances),
      warn: (service, message) => context.emit({ type: 'warning', service, message }),
      unaskedMs: options.unaskedMs,
    });
    const performer = new Performer(host, () => this.#operations);
    this.#operations = new Operations(storage.journal, {
      plan: (request, ahead) => planSteps(request, foresee(this.#services, ahead)),
      attempts: (names) =>
        Object.fromEntries(names.map((name) => [name, this.#services.get(name)?.attempts ?? []])),
      perform: (operation) => performer.perform(operation),
      onChange: (view) => context.emit({ type: 'operation', ...summarize(view) }),
      now: () => context.clock.wall().toISOString(),
    });
  }

  /** Loads the state, takes back what lives, ends what a former daemon had begun, starts what should run. */
  async boot(): Promise<void> {
    const { home } = this.#context;
    mkdirSync(runFolder(home), { recursive: true, mode: 0o700 });
    mkdirSync(logFolder(home), { recursive: true, mode: 0o700 });
    createFifo(eventsPath(home));
    this.#context.explainer.begin();
    const { state, notes, foreign } = this.#storage.state.load();
    const unknown = foreign.map((key) => `${key} is of a newer version and unknown to this one: left out`);
    for (const detail of [...notes, ...unknown]) this.#context.emit({ type: 'state-recovered', detail });
    for (const stored of state.services)
      this.#add(new Service(stored.spec, this.#context, this.#triggers(), stored));
    this.#listen();
    this.#archiver = this.#makeArchiver();
    const unfinished = this.#operations.load();
    this.#switchovers.load(unfinished);
    await this.#adopt(notes.length > 0);
    for (const stored of state.services) if (stored.isWanted) this.#services.get(stored.spec.name)!.arm();
    const steps = unfinished.flatMap((line) => line.view.steps);
    const claimed = steps.filter(({ action, service }) => {
      if (action === 'release') return this.#switchovers.isKept(service);
      return action !== 'keep' && action !== 'signal';
    });
    this.#startWanted(new Set(claimed.map((step) => step.service)));
    this.#operations.resume(unfinished);
  }

  list(): ServiceView[] {
    const services = [...this.#services.values()];
    const samples = this.#sampler.sample(services.flatMap((service) => service.all));
    return services.map((service) => viewService(service, samples, this.#context));
  }

  /** What came since it was asked before, by service. */
  measure(): Promise<Map<string, Counted>> {
    return this.#meter.measure([...this.#services.values()]);
  }

  /** How long health probes took since this was asked before, by service. */
  takeProbes(): Map<string, ProbeTimes> {
    return this.#context.probes.take();
  }

  /** The specifications of all services. */
  get specs(): readonly ServiceSpec[] {
    return [...this.#services.values()].map(({ spec }) => spec);
  }

  show(name: string): ServiceDetail {
    const service = this.#require(name, 'show');
    const samples = this.#sampler.sample(service.all);
    const operations = this.#operations
      .list(Infinity)
      .filter((view) => view.steps.some((step) => step.service === name));
    return {
      ...viewService(service, samples, this.#context),
      spec: redactSpec(service.spec),
      logs: service.log.view(service.spec.logs),
      operations: operations.slice(0, 5).map((view) => view.id),
    };
  }

  /** Why its attempts ended, newest first. */
  why(name: string, question: ExitQuestion): WhyView {
    this.#require(name, 'explain the exits of');
    return this.#context.explainer.find(name, question);
  }

  /** Who lives below the instances of the named services, or of all. */
  tree(names: readonly string[]): InstanceTree[] {
    const services = this.#named(names, 'show the processes of');
    const table = readProcessTable();
    return services.flatMap(({ name, all }) => all.map((instance) => viewTree(name, instance, table)));
  }

  async environment(name: string, isRevealed: boolean): Promise<EnvironmentView> {
    const { spec } = this.#require(name, 'show the environment of');
    const entries = toEntries(await resolveEnvironment(spec), isRevealed);
    return { service: name, cwd: spec.cwd, entries };
  }

  diff(wanted: readonly ServiceSpec[]): SpecChange[] {
    return reconcile(wanted, this.#services);
  }

  /** Resolves when the operation is accepted; it is done whatever becomes of who asked. */
  request(request: OperationRequest, clientPid: number | undefined): Promise<OperationView> {
    return this.#operations.request(
      request,
      identify(clientPid, (pid) => this.#findByShim(pid)),
    );
  }

  /** Of all its services together, decided from outside; the same name is the same one, also for the next daemon. */
  switchover(wish: SwitchoverWish, requester: Requester): Switchover {
    return this.#switchovers.get(wish, requester);
  }

  /** Gives up an operation that has not ended. */
  abort(id: string, clientPid: number | undefined): OperationView {
    const requester = identify(clientPid, (pid) => this.#findByShim(pid));
    return this.#operations.abort(id, requester);
  }

  /** Who asks. */
  identify(clientPid: number | undefined): Requester {
    return identify(clientPid, (pid) => this.#findByShim(pid));
  }

  /** Who asks, in a word. */
  whoIs(clientPid: number | undefined): string {
    return nameOf(identify(clientPid, (pid) => this.#findByShim(pid)));
  }

  get operations(): Pick<Operations, 'find' | 'list' | 'follow' | 'untilEnded'> {
    return this.#operations;
  }

  get counts(): { services: number; instances: number } {
    const instances = [...this.#services.values()].flatMap((service) => service.all);
    return {
      services: this.#services.size,
      instances: instances.filter((instance) => instance.process).length,
    };
  }

  /** Of the pipe to the launcher, for another daemon to inherit. */
  get launcherDescriptor(): number {
    return this.#context.launcher.descriptor;
  }

  get logFolder(): string {
    return logFolder(this.#context.home);
  }

  /** Of the named services, or all. */
  logs(names: readonly string[]): ServiceLog[] {
    return this.#named(names, 'show the logs of').map(({ log }) => log);
  }

  /** What others may read of the lines that a service writes, also before it is known here, and after it was deleted. */
  hidingOf(service: string): (line: string) => string {
    let secrets: ServiceLog['secrets'] | undefined;
    return (line) => {
      secrets = this.#services.get(service)?.log.secrets ?? secrets;
      return secrets?.hide(line) ?? line;
    };
  }

  /** The machine goes down: ends what runs, dependents first. All of it stays wanted, for the next boot. */
  async standDown(): Promise<void> {
    await this.#operations.close();
    const services = [...this.#services.values()];
    const ends = new Map<string, Promise<void>>();
    for (const name of startOrder(services.map(({ spec }) => spec)).reverse()) {
      const dependents = services.filter(({ spec }) => Object.hasOwn(spec.dependsOn, name));
      const before = dependents.map((dependent) => ends.get(dependent.name)!);
      ends.set(name, this.#halt(name, before));
    }
    await Promise.all(ends.values());
  }

  /** The daemon goes; what runs goes on, and the next daemon takes it back. */
  async detach(): Promise<void> {
    await this.#saveAtLast();
    await this.#context.explainer.settle();
    if (this.counts.instances === 0) this.#context.explainer.end();
    this.letGo();
  }

  /** The same for a daemon that begins at once, in the same process or in a child: the launcher stays. */
  async handOver(): Promise<Handover> {
    const { launcher } = this.#context;
    await this.#untilSocketsSettled();
    await launcher.flushed();
    await this.#saveAtLast();
    await this.#untilLaunched();
    this.#letGoOfServices();
    const held = [...this.#services.values()].map(({ name, sockets }) => [name, sockets.held] as const);
    return { launcher, heldSockets: Object.fromEntries(held) };
  }

  /** Lets go of everything without ending or saving anything. */
  letGo(): void {
    this.#letGoOfServices();
    this.#context.launcher.close();
  }

  async #saveAtLast(): Promise<void> {
    await this.#operations.close();
    // Attempt numbers may be newer than those on disk; where they cannot be saved, the daemon ends all the same.
    await this.#storage.state.save(this.#snapshot()).catch(this.#storage.onInternalError);
    this.#storage.state.close();
  }

  /** What has no run folder yet would not be found by the next daemon, and started a second time. */
  async #untilLaunched(): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.now() + LAUNCH_MS;
    const isLaunching = (): boolean =>
      [...this.#services.values()].some(({ all }) => all.some((instance) => instance.isLaunching));
    while (isLaunching() && clock.now() < deadline) await delay(LAUNCH_POLL_MS);
  }

  #letGoOfServices(): void {
    clearInterval(this.#shimPoll);
    this.#memory.end();
    this.#archiver?.end();
    this.#switchovers.detach();
    this.#context.explainer.letGo();
    for (const service of this.#services.values()) service.detach();
    this.#reports?.close();
  }

  async #halt(name: string, before: readonly Promise<void>[]): Promise<void> {
    await Promise.all(before);
    const service = this.#services.get(name)!;
    // What has done its work is not done again after the boot.
    if (service.instances.every((instance) => instance.isAtRest)) return;
    service.halt('upkeep: the machine goes down');
    await service.untilStopped();
  }

  #makeArchiver(): Archiver {
    const { home, emit } = this.#context;
    return new Archiver({
      home,
      folder: logFolder(home),
      services: () => [...this.#services.values()].map(({ name, spec: { logs } }) => ({ name, logs })),
      onFailed: (message) => emit({ type: 'warning', service: null, message }),
    });
  }

  #performerHost(): ConstructorParameters<typeof Performer>[0] {
    return {
      services: this.#services,
      create: (spec) => {
        const service = new Service(Object.freeze(spec), this.#context, this.#triggers());
        this.#add(service);
        this.#context.emit({ type: 'service-created', service: spec.name });
        return service;
      },
      remove: (service) => {
        this.#services.delete(service.name);
        service.close();
        this.#context.emit({ type: 'service-deleted', service: service.name });
      },
      save: () => this.#storage.state.save(this.#snapshot()),
      onUpdated: (service, keys) => {
        this.#memory.consider();
        this.#context.emit({ type: 'service-updated', service, keys: [...keys] });
      },
      onRollout: () => this.#memory.consider(),
      hold: (operation) => this.#switchovers.hold(operation),
      onInternalError: this.#storage.onInternalError,
    };
  }

  #triggers(): ServiceTriggers {
    return {
      onRestartWanted: (service, why) => this.#ask({ kind: 'restart', services: [service] }, why, service),
      onWarning: (service, message) => this.#context.emit({ type: 'warning', service, message }),
      onNoteworthy: () => this.#storage.state.save(this.#snapshot()).catch(this.#storage.onInternalError),
    };
  }

  /** The daemon asks itself. */
  #ask(request: OperationRequest, why: string, service: string | null): void {
    const requester = { ...SELF, command: `upkeep daemon (${why})` };
    this.#operations.request(request, requester).catch((error: Error) => {
      const message = `${request.kind} for ${why} failed: ${error.message}`;
      this.#context.emit({ type: 'warning', service, message });
    });
  }

  #add(service: Service): void {
    this.#services.set(service.name, service);
    this.#memory.consider();
  }

  /** All shims report through one FIFO, which costs the same for one instance and for a thousand. */
  #listen(): void {
    let rest = '';
    const onChunk = (chunk: Buffer): void => {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.#onReport(line);
    };
    this.#reports = openFifo(eventsPath(this.#context.home), onChunk);
  }

  #onReport(line: string): void {
    const [name = '', ...words] = line.split(' ');
    if (words[0] === 'gone') {
      const pid = Number(words[1]);
      return this.#eachInstance((instance) => {
        if (instance.shim?.pid === pid) instance.onShimGone();
      });
    }
    if (words[0] === 'rotated') return this.#archiver?.note();
    if (words[0] === 'socket') return this.#context.launcher.onSocketAnswer(words.slice(1));
    const id = parseRunName(name);
    const report = parseReport(words.join(' '));
    if (!id || !report) return;
    for (const instance of this.#services.get(id.service)?.at(id.instance) ?? [])
      instance.onReport(name, report);
  }

  #eachInstance(call: (instance: Instance) => void): void {
    for (const service of this.#services.values()) service.all.forEach(call);
  }

  async #adopt(isStateDoubtful: boolean): Promise<void> {
    const found = findAttempts(this.#context.home, {
      isStateDoubtful,
      isReadyByStart: (name) => {
        const service = this.#services.get(name);
        return service && service.spec.ready.on === 'start';
      },
      leaving: (service, instance) => this.#switchovers.leaving(service, instance),
      onLeftAlone: ({ service, instance }) => {
        const message = `instance ${instance} runs, but its description was lost: end it by hand, then describe it again`;
        this.#context.emit({ type: 'warning', service, message });
      },
    });
    // First, because what has ended meanwhile is let go at once, and its successor wants to inherit them.
    for (const attempt of found) this.#services.get(attempt.service)!.regainSockets(attempt);
    await this.#untilSocketsSettled();
    this.#switchovers.keep(found);
    for (const attempt of found) {
      const guestSpec = this.#switchovers.specOf(attempt.service);
      this.#services.get(attempt.service)!.adopt(attempt, guestSpec);
    }
    for (const service of this.#services.values())
      service.dismissOthers(
        this.#switchovers.isKept(service.name) ? service.guests.filter(({ role }) => role === 'joined') : [],
      );
    await this.#untilSocketsSettled();
    if (found.length === 0) return;
    const look = (): void => this.#eachInstance((instance) => instance.checkAdopted());
    this.#shimPoll = setInterval(look, SHIM_POLL_MS);
  }

  async #untilSocketsSettled(): Promise<void> {
    await Promise.all([...this.#services.values()].map(({ sockets }) => sockets.settled()));
  }

  /** What should run and does not; what unfinished operations start or stop is left to these. */
  #startWanted(claimed: ReadonlySet<string>): void {
    const stray = [...this.#services.values()].filter(
      (service) => !service.isWanted && service.status !== 'stopped',
    );
    for (const service of stray) if (!claimed.has(service.name)) service.stop('upkeep: it should not run');
    const missing = [...this.#services.values()].filter((service) => {
      return (
        service.isWanted &&
        !claimed.has(service.name) &&
        // One that completed while there was no daemon has done its work.
        service.instances.some((instance) => instance.status === 'stopped')
      );
    });
    if (missing.length === 0) return;
    const services = missing.map((service) => service.name);
    this.#ask({ kind: 'start', services }, 'start of the daemon', null);
  }

  #snapshot(): Parameters<StateFile['save']>[0] {
    return {
      services: [...this.#services.values()].map(({ stored }) => stored),
    };
  }

  #findByShim(pid: number): ManagedInstance | undefined {
    for (const service of this.#services.values()) {
      const instance = service.all.find((candidate) => candidate.shim?.pid === pid);
      if (instance) return { service: service.name, instance: instance.index, attempt: instance.attempt };
    }
    return undefined;
  }

  #named(names: readonly string[], verb: string): Service[] {
    return names.length === 0 ? [...this.#services.values()] : names.map((name) => this.#require(name, verb));
  }

  #require(name: string, verb: string): Service {
    requireService(name, this.#services, verb);
    return this.#services.get(name)!;
  }
}

/** Runs the state machine of one instance: brings it events, carries out its effects, tells what changed. */
import { join } from 'node:path';
import {
  adoptInstance,
  completedInstance,
  createInstance,
  instanceStatus,
  step,
  type InstanceEffect,
  type InstanceEvent,
  type InstancePolicy,
  type InstanceState,
  type InstanceTimer,
} from '../core/index.js';
import type { ServiceLog } from '../logs/index.js';
import type { ExitView, InstanceRole, InstanceStatus, ServiceSpec, SignalName } from '../protocol/index.js';
import {
  childrenByParent,
  descendants,
  readEnvironment,
  readProcessTable,
  type ProcessId,
  type ShimReport,
} from '../system/index.js';
import { formatDuration, unreachable } from '../util/index.js';
import type { FoundAttempt } from './adoption.js';
import { Attempt, type Execution } from './attempt.js';
import { AttemptChecks } from './attempt-checks.js';
import { Attribution } from './attribution.js';
import type { CheckTarget } from './check.js';
import { Channel, type Listening } from './channel.js';
import { runFolder, runName, type SupervisorContext } from './context.js';
import { prepareExecution, socketsFrom } from './execution.js';
import { describeExit, toEnding, type AttemptExit } from './exit.js';
import { inheritance, type ServiceSockets } from './service-sockets.js';
import { Timers } from './timers.js';

/** What an instance needs to know of the service that it is part of. */
export interface InstanceOwner {
  readonly log: ServiceLog;
  readonly sockets: ServiceSockets;
  /** Where the instance that serves at this index listens, if that was not left to chance. */
  portsOf(index: number): readonly number[];
  /** The highest attempt number that has been given for this index. */
  takenAttempt(index: number): number;
  /** Called after each change of status, process, health or exit. */
  onInstanceChange(instance: Instance): void;
  /** One of its processes accepts connections. */
  onListening(instance: Instance, listening: Listening): void;
  /** It takes no new connections any more. */
  onClosed(instance: Instance): void;
  /** A socket that it opened by itself is the service's from now on: worth to be remembered. */
  onLearned(): void;
}

export interface InstanceSetup {
  readonly index: number;
  readonly spec: ServiceSpec;
  /** @default 'serving' */
  readonly role?: InstanceRole;
  /** Its last attempt number. */
  readonly attempt: number;
  /** How the last attempt ended, where it was the last on purpose. */
  readonly completed: ExitView | null;
}

export class Instance {
  readonly index: number;
  readonly #owner: InstanceOwner;
  readonly #context: SupervisorContext;
  readonly #timers: Timers<InstanceTimer>;
  readonly #attribution = new Attribution();
  readonly #events: InstanceEvent[] = [];
  #state: InstanceState;
  #attempt: Attempt | undefined;
  #channel: Channel | undefined;
  #checks: AttemptChecks | undefined;
  #isDispatching = false;
  /** Its processes open their sockets without taking traffic, until they are told. */
  #isHeldBack = false;
  /** What an operation in progress still wishes is for the next daemon. */
  #isDetached = false;
  /** Environment of the current attempt, for checks. */
  #env: Readonly<Record<string, string>> = {};
  #startedAt: number | undefined;
  /** The operation that the next attempt belongs to. */
  #operation: string | null = null;
  #wasReady = false;
  /** Since the service was created. */
  restarts = 0;
  /** How the last attempt ended. */
  exit: ExitView | undefined;
  /** How the first attempt that did not become ready ended, since the last start or restart on request. */
  failedStart: ExitView | undefined;
  /** What it is an instance of; changes of keys that need no new process come while it runs. */
  spec: ServiceSpec;
  role: InstanceRole;

  constructor(owner: InstanceOwner, context: SupervisorContext, setup: InstanceSetup) {
    const { index, spec, role = 'serving', attempt, completed } = setup;
    this.index = index;
    this.spec = spec;
    this.role = role;
    this.#owner = owner;
    this.#context = context;
    this.#timers = new Timers(context.clock);
    this.#state = completed ? completedInstance(attempt) : createInstance(attempt);
    this.exit = completed ?? undefined;
  }

  get status(): InstanceStatus {
    return instanceStatus(this.#state);
  }

  get attempt(): number {
    return this.#state.attempt;
  }

  get process(): ProcessId | undefined {
    return this.#attempt?.process;
  }

  get shimPid(): number | undefined {
    return this.#attempt?.shimPid;
  }

  /** Wall clock, milliseconds since the epoch; undefined where nothing runs. */
  get startedAt(): number | undefined {
    return this.process ? this.#startedAt : undefined;
  }

  get isHealthy(): boolean | null {
    return this.#checks?.isHealthy ?? null;
  }

  /** Monotonic; undefined where no start is due. */
  get nextStartAt(): number | undefined {
    return this.#state.id === 'waiting' ? this.#state.until : undefined;
  }

  get listening(): readonly Listening[] {
    return this.#channel?.listening ?? [];
  }

  /** What its ready rule still misses. */
  get missing(): string | undefined {
    return this.#checks?.missing;
  }

  /** For checks of exactly this instance. */
  get target(): CheckTarget {
    return this.#checkTarget();
  }

  /** Nothing lives and nothing is about to. */
  get isAtRest(): boolean {
    return this.#state.id === 'stopped' || this.#state.id === 'completed';
  }

  start(operation: string | null): void {
    this.#operation = operation;
    this.failedStart = undefined;
    this.#send({ id: 'start', at: this.#context.clock.now() });
  }

  stop(askedBy: string): void {
    this.#attribution.ask(askedBy);
    this.#send({ id: 'stop', at: this.#context.clock.now() });
  }

  restart(askedBy: string, operation: string | null): void {
    this.#attribution.ask(askedBy);
    this.#operation = operation;
    this.failedStart = undefined;
    this.#send({ id: 'restart', at: this.#context.clock.now() });
  }

  /** It lives, but is not worth living; the restart policy decides what follows. */
  fail(kind: 'memory' | 'unhealthy', why: string): void {
    this.#attribution.ask(`upkeep: ${why}`);
    this.#send({ id: 'fail', at: this.#context.clock.now(), attempt: this.attempt, kind });
  }

  signal(signal: SignalName, askedBy: string): boolean {
    const isSent = this.#attempt?.signal(signal) ?? false;
    if (isSent) this.#attribution.sent(signal, askedBy);
    return isSent;
  }

  /** From now on it takes traffic, and its restart policy holds. Rejects where it cannot. */
  async promote(): Promise<void> {
    if (this.#isHeldBack) await this.#channel?.attach();
    this.role = 'serving';
    this.#attempt?.markReady();
    this.#owner.onInstanceChange(this);
  }

  /** A report of the shim, by way of the FIFO that all shims share. */
  onReport(runName: string, report: ShimReport): void {
    if (this.#attempt?.runName === runName) this.#attempt.onReport(report);
  }

  onShimGone(): void {
    this.#attempt?.onShimGone();
  }

  onLauncherLost(): void {
    this.#attempt?.onLauncherLost();
  }

  /** Takes back an attempt of a former daemon. */
  adopt({ attempt, startedAt, wasReady, restarts, runDir }: FoundAttempt): void {
    this.#isHeldBack = false;
    const { clock } = this.#context;
    const since = clock.now() - Math.max(0, clock.wall().getTime() - startedAt);
    this.#state = adoptInstance(attempt, since, wasReady);
    this.#attempt = this.#createAttempt(attempt, runDir);
    this.#wasReady = wasReady;
    this.restarts = restarts;
    this.#attempt.adopt();
    // The shim was given the same, and unlike the application it never writes over it.
    this.#env = (this.shimPid && readEnvironment(this.shimPid)) || {};
    this.regainSockets();
    if (this.#state.id === 'starting')
      this.#setTimer({ id: 'set-timer', timer: 'ready', attempt, at: since + this.#policy().readyTimeoutMs });
    if (wasReady) this.#watchHealth();
    const pid = this.process?.pid;
    if (pid !== undefined) this.#emitInstance({ type: 'instance-adopted', pid });
  }

  /** The launcher that held them is gone; the shim of a living attempt holds them, too. */
  regainSockets(): void {
    const { sockets } = this.#owner;
    const shim = this.#attempt?.shim;
    if (!shim || !this.process) return;
    sockets.regain(socketsFrom(this.#env), shim);
    for (const listening of this.listening) if (listening.how === 'own') this.#learn(listening);
  }

  checkAdopted(): void {
    this.#attempt?.checkAdopted();
  }

  /** The daemon goes, the process stays. */
  detach(): void {
    this.#isDetached = true;
    this.#timers.cancelAll();
    this.#checks?.end();
    this.#channel?.close();
    this.#attempt?.detach();
  }

  /** Pids of the whole tree, at this moment. */
  pids(): number[] {
    const shim = this.shimPid;
    return shim === undefined
      ? []
      : descendants(childrenByParent(readProcessTable()), shim).map((row) => row.pid);
  }

  #send(event: InstanceEvent): void {
    if (this.#isDetached) return;
    this.#events.push(event);
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#take(next);
    this.#isDispatching = false;
  }

  #take(event: InstanceEvent): void {
    const before = this.#state;
    const { state, effects } = step(before, event, this.#policy());
    this.#state = state;
    if (state.attempt > before.attempt) this.#countSpawn(before);
    for (const effect of effects) this.#carryOut(effect);
    // A retry that is due in an hour would keep a daemon alive that wants to end.
    if (this.isAtRest) this.#timers.cancelAll();
    if (instanceStatus(before) === this.status && before.attempt === state.attempt) return;
    this.#onStatus(before, state);
    this.#owner.onInstanceChange(this);
  }

  #onStatus(before: InstanceState, state: InstanceState): void {
    const pid = this.process?.pid ?? null;
    this.#emitInstance({ type: 'instance-status', pid, from: instanceStatus(before), to: this.status });
    if (state.id === 'running') {
      this.#wasReady = true;
      // Who is to be judged first is marked when it serves.
      if (this.role === 'serving') this.#attempt?.markReady();
      this.#watchHealth();
    } else if (state.id !== 'starting') this.#checks?.end();
    if (state.id === 'waiting' && before.id !== 'waiting') {
      const delayMs = state.until - this.#context.clock.now();
      this.#emitInstance({
        type: 'instance-restarting',
        delayMs: Math.max(0, Math.round(delayMs)),
        reason: state.reason,
      });
    }
  }

  /** A spawn is a restart, on request or not, unless nothing was wanted before it. */
  #countSpawn(before: InstanceState): void {
    this.#wasReady = false;
    if (before.id !== 'stopped' && before.id !== 'completed') this.restarts++;
  }

  #policy(): InstancePolicy {
    const { restart, stop, ready } = this.spec;
    return {
      // One that was to take over and fails has failed; one that goes away does not come back.
      restart: this.role === 'serving' ? restart : { ...restart, policy: 'never' },
      stop,
      readyTimeoutMs: ready.timeoutMs,
      takenAttempt: this.#owner.takenAttempt(this.index),
    };
  }

  #carryOut(effect: InstanceEffect): void {
    switch (effect.id) {
      case 'spawn':
        return this.#spawn(effect.attempt);
      case 'drain':
        return void this.#drain(effect);
      case 'signal':
        this.#attribution.sent(effect.signal);
        return this.#end(effect.signal);
      case 'signal-tree':
        return this.#attempt?.stopTree(effect.signal);
      case 'kill-tree':
        this.#attribution.sent('SIGKILL');
        return this.#attempt?.killTree();
      case 'release':
        return this.#release();
      case 'set-timer':
        return this.#setTimer(effect);
      default:
        return unreachable(effect);
    }
  }

  async #drain({ attempt, mode, until }: Extract<InstanceEffect, { id: 'drain' }>): Promise<void> {
    const { clock } = this.#context;
    const wish = {
      mode: this.role === 'old' ? 'reload' : mode === 'serve' ? 'restart' : 'stop',
      deadlineMs: Math.max(0, until - clock.now()),
      isFailing: this.#state.id === 'ending',
    } as const;
    await this.#channel?.drain(wish, () => {
      if (attempt === this.attempt) this.#owner.onClosed(this);
    });
    this.#send({ id: 'drained', at: clock.now(), attempt });
  }

  #end(signal: SignalName): void {
    const attempt = this.#attempt;
    if (!this.spec.stop.message || signal === 'SIGKILL' || !this.#channel) return attempt?.stop(signal);
    this.#channel.tell('shutdown').then(
      (isTold) => (isTold ? undefined : attempt?.stop(signal)),
      () => attempt?.stop(signal),
    );
  }

  #setTimer({ timer, at, attempt }: Extract<InstanceEffect, { id: 'set-timer' }>): void {
    const { clock } = this.#context;
    this.#timers.set(timer, at, () => {
      if (timer === 'ready' && this.#state.id === 'starting') this.#blameReadiness();
      this.#send({ id: 'timer', timer, attempt, at: clock.now() });
    });
  }

  #blameReadiness(): void {
    const missing = this.#checks?.missing;
    const waited = formatDuration(this.spec.ready.timeoutMs);
    this.#attribution.ask(
      `upkeep: not ready within ${waited}${missing === undefined ? '' : ` (${missing})`}`,
    );
  }

  #release(): void {
    this.#timers.cancelAll();
    this.#attempt?.release();
    this.#attempt = undefined;
  }

  #spawn(number: number): void {
    this.#attribution.reset();
    const { spec } = this;
    const { home, clock } = this.#context;
    const runDir = join(runFolder(home), runName(spec.name, this.index, number, clock.wall()));
    this.#isHeldBack = this.role === 'new';
    const attempt = this.#createAttempt(number, runDir);
    this.#attempt = attempt;
    const identity = { home, instance: this.index, attempt: number, runDir, operation: this.#operation };
    this.#operation = null;
    const wish = { spec, sockets: this.#owner.sockets, identity, isHeldBack: this.#isHeldBack };
    const fail = (error: unknown): void => attempt.fail(...wordFailure(error));
    try {
      const execution = prepareExecution(wish);
      if (execution instanceof Promise) execution.then((done) => this.#execute(attempt, done)).catch(fail);
      else this.#execute(attempt, execution);
    } catch (error) {
      fail(error);
    }
  }

  #execute(attempt: Attempt, execution: Execution): void {
    if (attempt === this.#attempt) this.#env = execution.env;
    attempt.spawn(execution);
  }

  #createAttempt(number: number, runDir: string): Attempt {
    const { spec } = this;
    const { log } = this.#owner;
    const { clock, launcher } = this.#context;
    const rule = this.role === 'new' ? this.#ruleOfCandidate() : spec;
    const checks = new AttemptChecks(rule, this.#checkTarget(), () =>
      this.#send({ id: 'became-ready', at: clock.now(), attempt: number }),
    );
    this.#checks?.end();
    this.#checks = checks;
    const channel = new Channel(runDir, {
      onListening: (listening) => this.#onListening(listening, checks),
      onReadyMessage: () => checks.onNews({ id: 'message' }),
    });
    this.#channel = channel;
    const onLines = (lines: Buffer): void => checks.onLines(lines);
    const sinks = { out: log.sink(this.index, 'out', onLines), err: log.sink(this.index, 'err', onLines) };
    return new Attempt({
      number,
      spec,
      runDir,
      launcher,
      sinks,
      restarts: () => this.restarts,
      isCandidate: this.role === 'new',
      observer: {
        onSaid: (text) => channel.onSaid(text),
        onNotify: (text) => checks.onNews({ id: 'notify', text }),
        onRunning: (at) => {
          this.#startedAt = at;
          checks.onRunning();
          this.#owner.onInstanceChange(this);
        },
        onExited: (exit, isTreeEmpty, at) => {
          checks.end();
          this.#onExited(number, exit, isTreeEmpty, at, [...sinks.out.tail(), ...sinks.err.tail()]);
        },
        onEmptied: () =>
          this.#send({ id: 'emptied', at: clock.now(), attempt: number, jitter: this.#context.random() }),
      },
    });
  }

  #onListening(listening: Listening, checks: AttemptChecks): void {
    checks.onNews({ id: 'listening' });
    if (listening.how === 'own') this.#learn(listening);
    // It opens another one after it took over.
    if (listening.how === 'held' && this.#isHeldBack && this.role === 'serving')
      this.#channel?.attach().catch(() => undefined); // the process has ended meanwhile
    this.#owner.onListening(this, listening);
  }

  /** Only what belongs to this instance: the application says which process it is, and might say anything. */
  #learn(listening: Listening): void {
    const { shimPid } = this;
    if (shimPid === undefined || inheritance(this.spec) === 'off') return;
    const tree = descendants(childrenByParent(readProcessTable()), shimPid);
    const owner = tree.find(({ pid }) => pid === listening.pid);
    if (!owner) return;
    void this.#owner.sockets.learn(listening, owner).then((isNew) => {
      if (isNew) this.#owner.onLearned();
    });
  }

  #onExited(attempt: number, exit: AttemptExit, isTreeEmpty: boolean, at: number, lastLines: string[]): void {
    const { clock, random } = this.#context;
    const livedMs = this.#startedAt === undefined ? 0 : at - this.#startedAt;
    const askedBy = this.#attribution.whoEnded(exit);
    const leftBehind = isTreeEmpty ? 0 : (this.#attempt?.leftBehind().length ?? 0);
    this.exit = describeExit(exit, { attempt, askedBy, at: new Date(at), livedMs, leftBehind, lastLines });
    this.#startedAt = undefined;
    if (!this.#wasReady && this.#state.id !== 'stopping') this.failedStart ??= this.exit;
    this.#emitInstance({ type: 'instance-exited', exit: this.exit });
    this.#send({
      id: 'exited',
      at: clock.now(),
      attempt,
      ending: toEnding(exit),
      isTreeEmpty,
      jitter: random(),
    });
  }

  /** Declared, or one of those that it takes over from one that serves. */
  #portsToOpen(): ServiceSpec['ports'] {
    const { ports } = this.spec;
    if (ports.length > 0 || this.role !== 'new') return ports;
    const shown = this.#owner.portsOf(this.index);
    const opened = shown.filter((port) => this.listening.some((each) => each.port === port));
    return (opened.length > 0 ? opened : shown).slice(0, 1).map((port) => ({ port, host: null, name: null }));
  }

  /** Who is to take over from one that listens, said or not, has to listen as well. */
  #ruleOfCandidate(): ServiceSpec {
    const { spec } = this;
    const { on, timeoutMs } = spec.ready;
    if (on !== 'start' || spec.ports.length > 0 || this.#owner.portsOf(this.index).length === 0) return spec;
    return { ...spec, ready: { on: 'check', check: { on: 'port' }, timeoutMs } };
  }

  #watchHealth(): void {
    this.#checks?.watchHealth((healthy, detail) => {
      this.#emitInstance({ type: 'instance-health', healthy, detail });
      this.#owner.onInstanceChange(this);
      if (!healthy) this.fail('unhealthy', `unhealthy (${detail})`);
    });
  }

  #checkTarget(): CheckTarget {
    const { spec } = this;
    const ports = (): ServiceSpec['ports'] => this.#portsToOpen();
    return {
      get ports() {
        return ports();
      },
      cwd: spec.cwd,
      env: () => this.#env,
      pids: () => this.pids(),
      listening: () => this.listening,
      isHeld: (port) => this.#owner.sockets.isHeld(port),
      privateSocket: (port) => this.#channel?.privateSocket(port),
    };
  }

  #emitInstance(event: InstanceEventBody): void {
    const { attempt, index } = this;
    this.#context.emit({ ...event, service: this.spec.name, instance: index, attempt });
  }
}

type NewEvent = Parameters<SupervisorContext['emit']>[0];
type OfInstance = Extract<NewEvent, { instance: number }>;
type InstanceEventBody = OfInstance extends infer E
  ? E extends OfInstance
    ? Omit<E, 'service' | 'instance' | 'attempt'>
    : never
  : never;

function wordFailure(error: unknown): [fact: string, hint?: string] {
  const { message, hint } = error as { message: string; hint?: string };
  return hint === undefined ? [message] : [message, hint];
}

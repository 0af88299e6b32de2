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
import type { ExitView, InstanceStatus, ServiceSpec, SignalName } from '../protocol/index.js';
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
import { Attempt } from './attempt.js';
import { AttemptChecks } from './attempt-checks.js';
import { Attribution } from './attribution.js';
import type { CheckTarget } from './check.js';
import { runFolder, runName, type SupervisorContext } from './context.js';
import {
  attemptVariables,
  isPlain,
  resolveEnvironment,
  resolvePlainEnvironment,
  type Environment,
} from './environment.js';
import { describeExit, toEnding, type AttemptExit } from './exit.js';
import { findPortHolder } from './port-holder.js';
import { Timers } from './timers.js';

/** What an instance needs to know of the service that it is part of. */
export interface InstanceOwner {
  readonly spec: ServiceSpec;
  readonly log: ServiceLog;
  /** Called after each change of status, process, health or exit. */
  onInstanceChange(instance: Instance): void;
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
  #checks: AttemptChecks | undefined;
  #isDispatching = false;
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

  /** `completed`: how the last attempt ended, where it was the last on purpose. */
  constructor(
    owner: InstanceOwner,
    context: SupervisorContext,
    index: number,
    last: { readonly attempt: number; readonly completed: ExitView | null },
  ) {
    this.index = index;
    this.#owner = owner;
    this.#context = context;
    this.#timers = new Timers(context.clock);
    this.#state = last.completed ? completedInstance(last.attempt) : createInstance(last.attempt);
    this.exit = last.completed ?? undefined;
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
    const { clock } = this.#context;
    const since = clock.now() - Math.max(0, clock.wall().getTime() - startedAt);
    this.#state = adoptInstance(attempt, since, wasReady);
    this.#attempt = this.#createAttempt(attempt, runDir);
    this.#wasReady = wasReady;
    this.restarts = restarts;
    this.#attempt.adopt();
    // The shim was given the same, and unlike the application it never writes over it.
    this.#env = (this.shimPid && readEnvironment(this.shimPid)) || {};
    if (this.#state.id === 'starting')
      this.#setTimer({ id: 'set-timer', timer: 'ready', attempt, at: since + this.#policy().readyTimeoutMs });
    if (wasReady) this.#watchHealth();
    const pid = this.process?.pid;
    if (pid !== undefined) this.#emitInstance({ type: 'instance-adopted', pid });
  }

  checkAdopted(): void {
    this.#attempt?.checkAdopted();
  }

  /** The daemon goes, the process stays. */
  detach(): void {
    this.#isDetached = true;
    this.#timers.cancelAll();
    this.#checks?.end();
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
      this.#attempt?.markReady();
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
    const { restart, stop, ready } = this.#owner.spec;
    return { restart, stop, readyTimeoutMs: ready.timeoutMs };
  }

  #carryOut(effect: InstanceEffect): void {
    switch (effect.id) {
      case 'spawn':
        return this.#spawn(effect.attempt);
      case 'signal':
        this.#attribution.sent(effect.signal);
        return this.#attempt?.stop(effect.signal);
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

  #setTimer({ timer, at, attempt }: Extract<InstanceEffect, { id: 'set-timer' }>): void {
    const { clock } = this.#context;
    this.#timers.set(timer, at, () => {
      if (timer === 'ready' && this.#state.id === 'starting') this.#blameReadiness();
      this.#send({ id: 'timer', timer, attempt, at: clock.now() });
    });
  }

  #blameReadiness(): void {
    const missing = this.#checks?.missing;
    const waited = formatDuration(this.#owner.spec.ready.timeoutMs);
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
    const { spec } = this.#owner;
    const { home, clock } = this.#context;
    const runDir = join(runFolder(home), runName(spec.name, this.index, number, clock.wall()));
    const attempt = this.#createAttempt(number, runDir);
    this.#attempt = attempt;
    if (isPlain(spec)) return this.#execute(attempt, runDir, resolvePlainEnvironment(spec));
    resolveEnvironment(spec).then(
      (environment) => this.#execute(attempt, runDir, environment),
      (error: { message: string; hint?: string }) => attempt.fail(error.message, error.hint),
    );
  }

  #execute(attempt: Attempt, runDir: string, environment: Environment): void {
    const { spec } = this.#owner;
    const { home } = this.#context;
    const busy = findPortHolder(spec);
    if (busy !== undefined) return attempt.fail(busy, 'stop that process, or set a free port');
    const identity = {
      home,
      instance: this.index,
      attempt: attempt.number,
      runDir,
      operation: this.#operation,
    };
    this.#operation = null;
    this.#env = { ...toRecord(environment), ...attemptVariables(spec, identity) };
    attempt.spawn(this.#env);
  }

  #createAttempt(number: number, runDir: string): Attempt {
    const { spec, log } = this.#owner;
    const { clock, launcher } = this.#context;
    const checks = new AttemptChecks(spec, this.#checkTarget(), () =>
      this.#send({ id: 'became-ready', at: clock.now(), attempt: number }),
    );
    this.#checks?.end();
    this.#checks = checks;
    const onLines = (lines: Buffer): void => checks.onLines(lines);
    const sinks = { out: log.sink(this.index, 'out', onLines), err: log.sink(this.index, 'err', onLines) };
    return new Attempt({
      number,
      spec,
      runDir,
      launcher,
      sinks,
      restarts: () => this.restarts,
      observer: {
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

  #watchHealth(): void {
    this.#checks?.watchHealth((healthy, detail) => {
      this.#emitInstance({ type: 'instance-health', healthy, detail });
      this.#owner.onInstanceChange(this);
      if (!healthy) this.fail('unhealthy', `unhealthy (${detail})`);
    });
  }

  #checkTarget(): CheckTarget {
    const { ports, cwd } = this.#owner.spec;
    return { ports, cwd, env: () => this.#env, pids: () => this.pids() };
  }

  #emitInstance(event: InstanceEventBody): void {
    const { attempt, index } = this;
    this.#context.emit({ ...event, service: this.#owner.spec.name, instance: index, attempt });
  }
}

type NewEvent = Parameters<SupervisorContext['emit']>[0];
type OfInstance = Extract<NewEvent, { instance: number }>;
type InstanceEventBody = OfInstance extends infer E
  ? E extends OfInstance
    ? Omit<E, 'service' | 'instance' | 'attempt'>
    : never
  : never;

function toRecord(environment: Environment): Record<string, string> {
  return Object.fromEntries([...environment].map(([key, { value }]) => [key, value]));
}

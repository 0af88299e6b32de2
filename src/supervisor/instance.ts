/** Runs the state machine of one instance: brings it events, carries out its effects, tells what changed. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
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
  type WaitingState,
} from '../core/index.js';
import type { ServiceLog } from '../logs/index.js';
import type {
  Evidence,
  ExitView,
  InstanceRole,
  InstanceStatus,
  ServiceSpec,
  SignalName,
} from '../protocol/index.js';
import { errnoText, isAlive, type ProcessId, type ShimReport } from '../system/index.js';
import { formatDuration, unreachable } from '../util/index.js';
import type { FoundAttempt } from './adoption.js';
import { Attribution } from './attribution.js';
import type { AttemptMark, LossReport } from './attempt.js';
import type { Listening } from './channel.js';
import type { CheckTarget } from './check.js';
import { runFolder, runName, type SupervisorContext } from './context.js';
import { describeExit, toEnding } from './exit.js';
import { Hangs, type HangNews } from './hangs.js';
import { goOnWaiting, wordInterlude, type Interlude } from './interlude.js';
import { Run, type RunEnd, type RunSetup } from './run.js';
import type { LostServer } from './server-watch.js';
import type { ServiceSockets } from './service-sockets.js';
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
  onInstanceChange(): void;
  /** It has done its work; resolves when that is remembered. undefined: it need not be. */
  onCompleted(): Promise<void> | undefined;
  /** One of its processes accepts connections. */
  onListening(instance: Instance, listening: Listening): void;
  /** Another one of its processes has begun, and may open a port. */
  onProcess(instance: Instance): void;
  /** It takes no new connections any more. */
  onClosed(instance: Instance): void;
}

export interface InstanceSetup {
  readonly index: number;
  readonly spec: ServiceSpec;
  /** @default 'serving' */
  readonly role?: InstanceRole;
  /** Its last attempt number. */
  readonly attempt: number;
  /** How the last attempt ended, where it was the last on purpose. */
  readonly completed?: ExitView | null;
}

const MARKS: Readonly<Record<InstanceRole, AttemptMark>> = { new: 'c', joined: 'g', serving: '', old: '' };
/** From the stop signal to SIGKILL for who cannot hear it. */
const MUTE_GRACE_MS = 1000;
/** What was taken back has at least so long to be found ready. */
const LOOK_AGAIN_MS = 3000;

export class Instance {
  readonly index: number;
  readonly #owner: InstanceOwner;
  readonly #context: SupervisorContext;
  readonly #timers: Timers<InstanceTimer>;
  readonly #attribution = new Attribution();
  readonly #events: InstanceEvent[] = [];
  #state: InstanceState;
  /** The present attempt, or the last one. */
  #run: Run | undefined;
  #isDispatching = false;
  /** What an operation in progress still wishes is for the next daemon. */
  #isDetached = false;
  /** The operation that the next attempt belongs to. */
  #operation: string | null = null;
  #wasReady = false;
  /** Why probes want it out; undefined: they do not. */
  #condemnedBy: string | undefined;
  /** Probes have taken it out, and it is not back yet. */
  #isTakenOut = false;
  /** Of the present attempt, once it is ready. */
  #hangs: Hangs | undefined;
  /** What probes said last. */
  #healthDetail: string | undefined;
  /** What it was doing when probes found it failing. */
  #evidence: Evidence | undefined;
  /** Since the service was created. */
  restarts = 0;
  /** How the last attempt ended. */
  exit: ExitView | undefined;
  /** How the first attempt that did not become ready ended, since the last start or restart on request. */
  failedStart: ExitView | undefined;
  #spec: ServiceSpec;
  role: InstanceRole;

  constructor(owner: InstanceOwner, context: SupervisorContext, setup: InstanceSetup) {
    const { index, spec, role = 'serving', attempt, completed = null } = setup;
    this.index = index;
    this.#spec = spec;
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

  /** What it is an instance of. */
  get spec(): ServiceSpec {
    return this.#spec;
  }

  /** Changes of keys that need no new process come while it runs. */
  set spec(spec: ServiceSpec) {
    const before = this.#spec;
    const isOther =
      !isDeepStrictEqual(spec.health, before.health) || !isDeepStrictEqual(spec.eventLoop, before.eventLoop);
    this.#spec = spec;
    if (!isOther || this.#state.id !== 'running') return;
    this.#condemnedBy = undefined;
    this.#watchHealth();
  }

  get attempt(): number {
    return this.#state.attempt;
  }

  get process(): ProcessId | undefined {
    return this.#run?.process;
  }

  get isLaunching(): boolean {
    return this.#run?.isLaunching ?? false;
  }

  get shim(): ProcessId | undefined {
    return this.#run?.shim;
  }

  /** Wall clock, milliseconds since the epoch; undefined where nothing runs. */
  get startedAt(): number | undefined {
    return this.process && this.#run?.startedAt;
  }

  get isHealthy(): boolean | null {
    if (this.#hangs?.areThere === true) return false;
    return this.#run?.isHealthy ?? (this.#lostServer ? false : null);
  }

  /** A health check would see for itself. */
  get #lostServer(): LostServer | null {
    const mayTell = this.#spec.health === null && this.status === 'running';
    return mayTell ? (this.#run?.lostServer ?? null) : null;
  }

  /** undefined: no probe speaks against it. */
  get whyUnhealthy(): string | undefined {
    return this.isHealthy === false
      ? `unhealthy (${this.#healthDetail ?? 'its event loop hangs'})`
      : undefined;
  }

  /** Probes want it restarted. */
  get isCondemned(): boolean {
    return this.#condemnedBy !== undefined;
  }

  get isTakenOut(): boolean {
    return this.#isTakenOut;
  }

  /** It runs, and no probe speaks against it. */
  get serves(): boolean {
    return this.status === 'running' && !this.isCondemned && this.isHealthy !== false;
  }

  /** Monotonic; undefined where no start is due. */
  get nextStartAt(): number | undefined {
    return this.#state.id === 'waiting' ? this.#state.until : undefined;
  }

  get listening(): readonly Listening[] {
    return this.#run?.listening ?? [];
  }

  /** For checks of exactly this instance; undefined before its first attempt. */
  get target(): CheckTarget | undefined {
    return this.#run?.target;
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

  /** Does what probes want, once the evidence is taken; who has recovered by then stays. */
  takeOut(): void {
    if (this.#condemnedBy === undefined || this.#isTakenOut) return;
    this.#isTakenOut = true;
    const { attempt } = this;
    void this.#takeEvidence().then(() => {
      if (attempt !== this.attempt || !this.#isTakenOut) return;
      // The probe was the first to see it: it has ended by itself, and that is about to be told.
      if (this.process && !isAlive(this.process)) return void (this.#evidence = undefined);
      const why = this.#condemnedBy;
      if (why === undefined) {
        this.#isTakenOut = false;
        this.#evidence = undefined;
      } else this.fail('unhealthy', `unhealthy (${why})`);
    });
  }

  async #takeEvidence(): Promise<void> {
    this.#evidence = this.#hangs?.evidence ?? (await this.#run?.takeEvidence())?.evidence;
  }

  /** It lives, but is not worth living; the restart policy decides what follows. */
  fail(kind: 'memory' | 'unhealthy', why: string): void {
    const { id } = this.#state;
    // Who is ended already is not ended for this.
    if (id === 'starting' || id === 'running') this.#attribution.ask(`upkeep: ${why}`);
    this.#send({ id: 'fail', at: this.#context.clock.now(), attempt: this.attempt, kind });
  }

  signal(signal: SignalName, askedBy: string): boolean {
    const isSent = this.#run?.signal(signal) ?? false;
    if (!isSent) return false;
    this.#attribution.sent(signal, this.#context.clock.wall(), askedBy);
    this.#run?.noteAsked(this.#attribution.note());
    return true;
  }

  /** What its processes count; undefined: none of them does. */
  metrics(): ReturnType<Run['metrics']> {
    return this.#run?.metrics();
  }

  /** What its processes have counted by now. */
  async counts(): ReturnType<Run['counts']> {
    return (await this.#run?.counts()) ?? [];
  }

  /** From now on it takes traffic beside the one that serves, and may be sent away again. Rejects where it cannot. */
  async join(): Promise<void> {
    // First, so that a daemon that comes in between knows that it may have connections.
    this.#run?.markJoined();
    await this.#run?.promote();
    this.role = 'joined';
    this.#owner.onInstanceChange();
  }

  /** It has joined, and from now on its restart policy holds. */
  serve(): void {
    this.role = 'serving';
    this.#run?.markReady();
  }

  /** From now on it takes traffic, and its restart policy holds. Rejects where it cannot. */
  async promote(): Promise<void> {
    await this.#run?.promote();
    this.serve();
    this.#owner.onInstanceChange();
  }

  /** A report of the shim, by way of the FIFO that all shims share. */
  onReport(runName: string, report: ShimReport): void {
    this.#run?.onReport(runName, report);
  }

  onShimGone(): void {
    this.#run?.onShimGone();
  }

  onLauncherLost(): void {
    this.#run?.onLauncherLost();
  }

  /** Takes back an attempt of a former daemon. */
  adopt(found: FoundAttempt): void {
    if (found.interlude) this.#goOnWaiting(found, found.interlude);
    else this.#takeBack(found);
  }

  #takeBack({ attempt, startedAt, wasReady, restarts, runDir, mark }: FoundAttempt): void {
    const { clock } = this.#context;
    const since = clock.now() - Math.max(0, clock.wall().getTime() - startedAt);
    this.#state = adoptInstance(attempt, since, wasReady);
    this.#wasReady = wasReady;
    this.restarts = restarts;
    // Who serves, or has joined, may have been a candidate first.
    this.#run = this.#createRun(attempt, runDir, { isHeldBack: this.role !== 'old', mark });
    const asked = this.#run.readAsked();
    if (asked !== undefined) this.#attribution.restore(asked);
    // A commit that is on disk may have made it the one that serves. Now, because it may have ended meanwhile.
    if (this.role === 'serving' && mark !== '') this.#run.markReady();
    this.#run.adopt();
    if (this.#state.id === 'starting') {
      // It may have become ready long ago, with nobody there who could note it.
      const at = Math.max(since + this.#policy().readyTimeoutMs, clock.now() + LOOK_AGAIN_MS);
      this.#setTimer({ id: 'set-timer', timer: 'ready', attempt, at });
    }
    if (wasReady) this.#watchHealth();
    const pid = this.process?.pid;
    if (pid !== undefined) this.#emitInstance({ type: 'instance-adopted', pid, status: this.status });
    if (this.#lostServer) this.#onServing();
  }

  #goOnWaiting({ attempt, runDir, shim }: FoundAttempt, interlude: Interlude): void {
    const waiting = goOnWaiting(interlude, this.#context.clock);
    this.#state = waiting;
    this.restarts = interlude.restarts;
    this.exit = interlude.exit;
    this.#run = this.#createRun(attempt, runDir);
    this.#run.adoptEnded(shim);
    this.#setTimer({ id: 'set-timer', timer: 'retry', attempt, at: waiting.until });
    this.#owner.onInstanceChange();
  }

  checkAdopted(): void {
    this.#run?.checkAdopted();
  }

  /** The daemon goes, the process stays. */
  detach(): void {
    this.#isDetached = true;
    this.#timers.cancelAll();
    this.#run?.detach();
  }

  /** Pids of the whole tree, at this moment. */
  pids(): number[] {
    return this.#run?.pids() ?? [];
  }

  #send(event: InstanceEvent): void {
    if (this.#isDetached) return;
    this.#events.push(event);
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      const event = next;
      this.#guard(() => this.#take(event));
    }
    this.#isDispatching = false;
  }

  /** What throws is told, and nothing that comes after it is left out. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#context.onInternalError(error);
    }
  }

  #take(event: InstanceEvent): void {
    const before = this.#state;
    const { state, effects } = step(before, event, this.#policy());
    this.#state = state;
    if (state.attempt > before.attempt) this.#countSpawn(before);
    if (before.id === 'waiting' && state.id !== 'waiting') this.#run?.release();
    for (const effect of effects) this.#guard(() => this.#carryOut(effect));
    // A retry that is due in an hour would keep a daemon alive that wants to end.
    if (this.isAtRest) this.#timers.cancelAll();
    if (instanceStatus(before) === this.status && before.attempt === state.attempt) return;
    this.#guard(() => this.#onStatus(before, state, event.at));
    this.#owner.onInstanceChange();
  }

  #onStatus(before: InstanceState, state: InstanceState, at: number): void {
    const pid = this.process?.pid ?? null;
    this.#emitInstance({ type: 'instance-status', pid, from: instanceStatus(before), to: this.status });
    if (state.id === 'running') {
      this.#wasReady = true;
      this.#run?.noteTree();
      // Who is to be judged first is marked when it serves.
      if (this.role === 'serving') this.#run?.markReady();
      else if (this.role === 'joined') this.#guard(() => this.#run?.markJoined());
      this.#watchHealth();
      if (this.#lostServer) this.#onServing();
    } else if (state.id !== 'starting') this.#run?.endChecks();
    if (state.id !== 'running') {
      this.#condemnedBy = undefined;
      this.#evidence ??= this.#hangs?.evidence;
      this.#hangs = undefined;
    }
    const isBack = state.id === 'running' && this.#spec.health === null;
    if (isBack || this.isAtRest || this.status === 'crashed') this.#isTakenOut = false;
    if (state.id === 'waiting' && before.id !== 'waiting') {
      const delayMs = Math.round(state.until - at);
      this.#emitInstance({ type: 'instance-restarting', delayMs, reason: state.reason });
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
      stop: this.#isMute ? { ...stop, drainMs: 0, graceMs: Math.min(stop.graceMs, MUTE_GRACE_MS) } : stop,
      readyTimeoutMs: ready.timeoutMs,
      takenAttempt: this.#owner.takenAttempt(this.index),
    };
  }

  /** Its event loop does not answer, so it cannot answer a signal either. */
  get #isMute(): boolean {
    const evidence = this.#evidence ?? this.#hangs?.evidence;
    return evidence?.answers === false && this.listening.length <= 1;
  }

  #carryOut(effect: InstanceEffect): void {
    switch (effect.id) {
      case 'spawn':
        return this.#spawn(effect.attempt);
      case 'drain':
        return void this.#drain(effect);
      case 'signal':
        this.#attribution.sent(effect.signal, this.#context.clock.wall());
        this.#run?.noteAsked(this.#attribution.note());
        return this.#run?.stop(effect.signal, this.spec.stop.message);
      case 'signal-tree':
        return this.#run?.stopTree(effect.signal);
      case 'kill-tree':
        this.#attribution.sent('SIGKILL', this.#context.clock.wall());
        this.#run?.noteAsked(this.#attribution.note());
        return this.#run?.killTree();
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
      mode: this.role === 'old' || this.role === 'joined' ? 'reload' : mode === 'serve' ? 'restart' : 'stop',
      deadlineMs: Math.max(0, until - clock.now()),
      isFailing: this.#state.id === 'ending' || this.#isMute,
    } as const;
    await this.#run?.drain(wish, () => {
      if (attempt === this.attempt) this.#owner.onClosed(this);
    });
    this.#send({ id: 'drained', at: clock.now(), attempt });
  }

  #setTimer({ timer, at, attempt }: Extract<InstanceEffect, { id: 'set-timer' }>): void {
    const { clock } = this.#context;
    this.#timers.set(timer, at, () => {
      if (timer === 'ready' && this.#state.id === 'starting') this.#blameReadiness();
      this.#send({ id: 'timer', timer, attempt, at: clock.now() });
    });
  }

  #blameReadiness(): void {
    const missing = this.#run?.missing;
    const waited = formatDuration(this.spec.ready.timeoutMs);
    this.#attribution.ask(
      `upkeep: not ready within ${waited}${missing === undefined ? '' : ` (${missing})`}`,
    );
  }

  /** What is known of a job that is done lies in its run folder until it is in the state file: it is not to be done again. */
  #release(): void {
    this.#timers.cancelAll();
    const run = this.#run;
    if (this.#state.id === 'waiting' && this.#rest(this.#state)) return;
    const noted =
      this.#state.id === 'completed' && this.role === 'serving' ? this.#owner.onCompleted() : undefined;
    if (noted) void noted.then(() => run?.release());
    else run?.release();
  }

  /** False: the next daemon would not know of it. */
  #rest(waiting: WaitingState): boolean {
    const { exit, restarts } = this;
    const note = exit && wordInterlude(waiting, { exit, restarts }, this.#context.clock);
    return note !== undefined && (this.#run?.rest(note) ?? false);
  }

  #spawn(number: number): void {
    this.#attribution.reset();
    this.#evidence = undefined;
    const { home, clock } = this.#context;
    const runDir = join(runFolder(home), runName(this.spec.name, this.index, number, clock.wall()));
    const operation = this.#operation;
    this.#operation = null;
    this.#run?.endChecks();
    this.#run = this.#createRun(number, runDir, { isHeldBack: this.role === 'new', mark: MARKS[this.role] });
    this.#run.start(operation);
  }

  #createRun(
    attempt: number,
    runDir: string,
    { isHeldBack, mark }: Pick<RunSetup, 'isHeldBack' | 'mark'> = { isHeldBack: false, mark: '' },
  ): Run {
    const { spec, index } = this;
    const owner = this.#owner;
    const { clock, random } = this.#context;
    const setup = {
      number: attempt,
      instance: index,
      spec,
      runDir,
      isCandidate: this.role === 'new',
      isHeldBack,
      mark,
      shownPorts: () => owner.portsOf(index),
      log: owner.log,
      sockets: owner.sockets,
      restarts: () => this.restarts,
      observer: {
        onRunning: () => owner.onInstanceChange(),
        onReady: () => this.#send({ id: 'became-ready', at: clock.now(), attempt }),
        onListening: (listening: Listening) => owner.onListening(this, listening),
        onProcess: () => owner.onProcess(this),
        onServing: () => this.#onServing(),
        onExited: (end: RunEnd) => this.#onExited(attempt, end),
        onEmptied: () => this.#send({ id: 'emptied', at: clock.now(), attempt, jitter: random() }),
        onLost: (loss: LossReport) => this.#warnOfLoss(loss),
      },
    };
    return new Run(setup, this.#context);
  }

  #onExited(attempt: number, end: RunEnd): void {
    const { clock, random } = this.#context;
    const { exit, isTreeEmpty, lookedAt } = end;
    if (lookedAt && this.#state.id === 'running') this.#ownUpTo(lookedAt);
    const askedBy = this.#attribution.whoEnded(end);
    this.exit = describeExit(exit, { ...end, attempt, askedBy, evidence: this.#evidence });
    if (!this.#wasReady && this.#state.id !== 'stopping') this.failedStart ??= this.exit;
    this.#emitInstance({ type: 'instance-exited', exit: this.exit });
    this.#guard(() => this.#explain(attempt, end));
    this.#send({
      id: 'exited',
      at: clock.now(),
      attempt,
      ending: toEnding(exit),
      isTreeEmpty,
      jitter: random(),
    });
  }

  /** The look at one that was found failing has ended it: that is what it ended for. */
  #ownUpTo(evidence: Evidence): void {
    this.#isTakenOut = true;
    const seen = this.#evidence ?? this.#hangs?.evidence;
    this.#evidence = seen ? { ...seen, missing: evidence.missing } : evidence;
    const hang = this.#hangs?.confirm(evidence);
    this.#attribution.ask(`upkeep: unhealthy (${this.#condemnedBy ?? hang ?? evidence.summary})`);
    this.#attribution.sent('SIGUSR1', this.#context.clock.wall());
  }

  #explain(attempt: number, { traces }: RunEnd): void {
    const { spec, index } = this;
    const exit = this.exit!;
    const { signals } = this.#attribution;
    const asked = exit.askedBy === null ? null : { by: exit.askedBy, signals };
    this.#context.explainer.explain({ spec, instance: index, attempt, exit, asked, traces });
  }

  #watchHealth(): void {
    const run = this.#run;
    const { health, eventLoop } = this.#spec;
    run?.watchHealth(health, (isHealthy, detail, sinceMs) => {
      this.#isTakenOut = false;
      this.#onHealth({ isHealthy, detail, sinceMs, action: health?.action ?? 'none' });
    });
    this.#hangs =
      run && new Hangs(run, eventLoop, (news) => this.#onHealth({ ...news, probe: 'event-loop' }));
  }

  #onServing(): void {
    if (this.#spec.health !== null || this.status !== 'running') return;
    const lost = this.#lostServer;
    const now = this.#context.clock.wall().getTime();
    const sinceMs = lost ? Math.max(0, now - lost.at) : 0;
    const detail = lost?.why ?? 'another process serves';
    this.#onHealth({ isHealthy: !lost, detail, sinceMs, action: 'none', probe: 'server' });
  }

  #onHealth({
    isHealthy: healthy,
    detail,
    sinceMs = 0,
    action,
    probe,
  }: HangNews & { probe?: 'event-loop' | 'server' }): void {
    const by = probe ? { probe } : {};
    const since = new Date(this.#context.clock.wall().getTime() - sinceMs).toISOString();
    const done = healthy ? {} : { action };
    const because = healthy || probe ? undefined : this.#run?.blameServerKill();
    const more = because === undefined ? {} : { because };
    this.#emitInstance({ type: 'instance-health', healthy, detail, since, ...by, ...done, ...more });
    this.#healthDetail = healthy ? undefined : detail;
    // Whoever says that it is well, another one may still say that it is not.
    if (!healthy && action === 'restart') this.#condemnedBy = detail;
    else if (this.isHealthy !== false) this.#condemnedBy = undefined;
    // Who does not serve yet, or no longer, takes nothing away with it.
    if (this.role !== 'serving') this.takeOut();
    this.#owner.onInstanceChange();
  }

  #warnOfLoss({ stream, lines, bytes, errno }: LossReport): void {
    const words = `${lines} ${lines === 1 ? 'line' : 'lines'} (${bytes} bytes) of std${stream}`;
    const path = this.#owner.log.path(stream, this.spec.logs.perInstance ? this.index : null);
    const message = `instance ${this.index}: ${words} could not be written to ${path}: ${errnoText(errno)}`;
    this.#context.emit({ type: 'warning', service: this.spec.name, message });
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

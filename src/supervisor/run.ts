/**
 * One attempt with everything around it: what it is executed with, what its processes say, what is looked at while it
 * lives. It answers questions even after its end, until the next one begins.
 */
import type { AttemptTraces, BlamedKill, ServerKill } from '../forensics/index.js';
import { logLimits, type LogRun, type ServiceLog, type StreamName } from '../logs/index.js';
import type {
  Evidence,
  ExitError,
  HealthSpec,
  ProcessMetrics,
  ServiceSpec,
  SignalName,
} from '../protocol/index.js';
import {
  readEnvironment,
  readMemoryGroup,
  type MemoryGroup,
  type ProcessActivity,
  type ProcessId,
  readTree,
  type ShimReport,
} from '../system/index.js';
import { Attempt, type AttemptMark, type LossReport } from './attempt.js';
import { AttemptChecks } from './attempt-checks.js';
import { Channel, type DrainWish, type Listening } from './channel.js';
import type { CheckTarget } from './check.js';
import type { SupervisorContext } from './context.js';
import { takeEvidence, type Finding } from './event-loop/evidence.js';
import { endedByLook, type Look } from './event-loop/interruption.js';
import { EventLoopWatch, type EventLoopObserver, type Speaker } from './event-loop/watch.js';
import { secretValues } from './environment.js';
import { prepareExecution } from './execution.js';
import type { AttemptExit } from './exit.js';
import type { OnHealth } from './health-watch.js';
import { ServerWatch, type LostServer } from './server-watch.js';
import { inheritance, type ServiceSockets } from './service-sockets.js';

export interface RunObserver {
  /** The program was executed. */
  onRunning(): void;
  /** Its ready rule is met. */
  onReady(): void;
  /** One of its processes accepts connections. */
  onListening(listening: Listening): void;
  /** Another one of its processes has begun, and may open a port. */
  onProcess(): void;
  /** The process ended; everything that it wrote is in the logs. */
  onExited(end: RunEnd): void;
  /** The process that served was killed, and what it runs behind lives on; null: it serves again. */
  onServing(lost: LostServer | null): void;
  /** Its last descendant ended too. */
  onEmptied(): void;
  /** Some of its output could not be written. */
  onLost(loss: LossReport): void;
}

export interface RunEnd {
  readonly exit: AttemptExit;
  readonly isTreeEmpty: boolean;
  /** Descendants that outlived it. */
  readonly leftBehind: number;
  readonly at: Date;
  readonly livedMs: number;
  readonly lastLines: readonly string[];
  /** What it crashed by. */
  readonly error: ExitError | null;
  /** What was known of it when the look at it ended it; undefined: that did not. */
  readonly lookedAt: Evidence | undefined;
  readonly traces: AttemptTraces;
}

export interface RunSetup {
  readonly number: number;
  readonly instance: number;
  readonly spec: ServiceSpec;
  readonly runDir: string;
  /** It is to be judged before it serves: what it opens takes no traffic until it is promoted. */
  readonly isCandidate: boolean;
  /** It has been a candidate, or may have been under a former daemon: its children ask to be let in, too. */
  readonly isHeldBack: boolean;
  readonly mark: AttemptMark;
  /** Where the instance that serves in its place listens, if that was not left to chance. */
  readonly shownPorts: () => readonly number[];
  readonly log: ServiceLog;
  readonly sockets: ServiceSockets;
  /** Of the instance, for the daemon that comes after this one. */
  readonly restarts: () => number;
  readonly observer: RunObserver;
}

/** What a runtime prints when it ends for want of memory is this long. */
const TAIL_BYTES = 8192;

export class Run {
  /** For checks of exactly this attempt. */
  readonly target: CheckTarget;
  readonly #setup: RunSetup;
  readonly #context: SupervisorContext;
  readonly #attempt: Attempt;
  readonly #checks: AttemptChecks;
  readonly #channel: Channel;
  readonly #servers: ServerWatch;
  #eventLoop: EventLoopWatch | undefined;
  /** The last process of it that was sent the signal that opens an inspector. */
  #look: Look | undefined;
  #isCandidate: boolean;
  #isReleased = false;
  #env: Readonly<Record<string, string>> = {};
  #startedAt: number | undefined;
  #group: MemoryGroup | undefined;
  /** Processes that were seen below it, where its own are no Node that would say who they are. */
  readonly #tree = new Set<number>();
  readonly #losses: Partial<Record<StreamName, LossReport>> = {};

  constructor(setup: RunSetup, context: SupervisorContext) {
    const { observer } = setup;
    this.#setup = setup;
    this.#context = context;
    this.#isCandidate = setup.isCandidate;
    this.#channel = new Channel(setup.runDir, {
      onListening: (listening, at) => this.#onListening(listening, at),
      onReadyMessage: () => this.#checks.onNews({ id: 'message' }),
      onControl: () => this.#eventLoop?.wake(),
      onProcess: () => observer.onProcess(),
      onChildEnd: () => this.#servers.onChildEnd(),
    });
    this.#servers = new ServerWatch({
      testimony: this.#channel.witnesses,
      shim: () => this.#attempt.shim?.pid,
      main: () => this.#attempt.pid,
      signals: () => this.#context.explainer.signals(),
      onKilled: (found) => this.#explainServerKill(found),
      onServing: (lost) => {
        this.#attempt.noteLost(lost);
        observer.onServing(lost);
      },
    });
    this.target = this.#makeTarget();
    const rule = setup.isCandidate ? this.#ruleOfCandidate() : setup.spec;
    this.#checks = new AttemptChecks(rule, this.target, {
      onReady: () => observer.onReady(),
      onProbed: (tookMs, isSuccess) => {
        context.probes.note(setup.spec.name, tookMs);
        if (isSuccess) this.#attempt.noteAnswered();
      },
    });
    this.#attempt = this.#makeAttempt();
  }

  get number(): number {
    return this.#setup.number;
  }

  /** The application itself; undefined before it was executed and after it ended. */
  get process(): ProcessId | undefined {
    return this.#isReleased ? undefined : this.#attempt.process;
  }

  get isLaunching(): boolean {
    return this.#attempt.isLaunching;
  }

  get shim(): ProcessId | undefined {
    return this.#isReleased ? undefined : this.#attempt.shim;
  }

  /** Wall clock, milliseconds since the epoch. */
  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  get listening(): readonly Listening[] {
    return this.#channel.listening;
  }

  /** What the ready rule still misses. */
  get missing(): string | undefined {
    return this.#checks.missing;
  }

  get isHealthy(): boolean | null {
    return this.#checks.isHealthy;
  }

  /** `operation`: the one that asked for it. */
  start(operation: string | null): void {
    const { spec, sockets, number: attempt, instance, runDir, isHeldBack } = this.#setup;
    const identity = { home: this.#context.home, instance, attempt, runDir, operation };
    const fail = (error: unknown): void => {
      const { message, hint } = error as { message: string; hint?: string };
      this.#attempt.fail(message, hint);
    };
    const execute = (execution: Awaited<ReturnType<typeof prepareExecution>>): void => {
      this.#noteEnvironment(execution.env);
      this.#attempt.spawn(execution);
    };
    try {
      const execution = prepareExecution({ spec, sockets, identity, isHeldBack });
      if (execution instanceof Promise) execution.then(execute).catch(fail);
      else execute(execution);
    } catch (error) {
      fail(error);
    }
  }

  /** Takes back what a former daemon started. */
  adopt(): void {
    this.#servers.lost = this.#attempt.readLost();
    this.#attempt.adopt();
    // The shim was given the same, and unlike the application it never writes over it.
    this.#noteEnvironment((this.shim && readEnvironment(this.shim.pid)) || {});
  }

  /** The same where it had ended, and its instance waits for the next one. */
  adoptEnded(shim: ProcessId | undefined): void {
    this.#attempt.adoptEnded(shim);
  }

  checkAdopted(): void {
    this.#attempt.checkAdopted();
  }

  /** It takes traffic from now on. Rejects where it cannot. */
  async promote(): Promise<void> {
    // A former daemon may have been about to.
    const { isHeldBack } = this.#setup;
    this.#isCandidate = false; // a process that comes to listen meanwhile is told so then
    try {
      if (isHeldBack) await this.#channel.attach();
    } catch (error) {
      this.#isCandidate = true;
      throw error;
    }
  }

  /** What its processes have counted by now. */
  counts(): Promise<ProcessMetrics[]> {
    return this.#channel.counts();
  }

  /** It takes traffic beside the one that serves: for the daemon that comes after this one. */
  markJoined(): void {
    this.#attempt.markJoined();
  }

  /** It serves: for the daemon that comes after this one. */
  markReady(): void {
    this.#attempt.markReady();
  }

  /** It is ready: from here on its health counts. */
  watchHealth(spec: HealthSpec | null, onChange: OnHealth): void {
    const now = this.#context.clock.wall().getTime();
    const since = (at: number): number => Math.max(0, now - at);
    const { answeredAt } = this.#attempt;
    const answeredMsAgo = answeredAt === undefined ? undefined : since(answeredAt);
    this.#checks.watchHealth(spec, { ageMs: since(this.#startedAt ?? now), answeredMsAgo }, onChange);
  }

  /** Who is below it now: a signal to one of them may be the reason of its end. */
  noteTree(): void {
    const { pid } = this.#attempt;
    if (pid === undefined || this.#channel.witnesses.pids.has(pid)) return;
    for (const each of this.pids()) this.#tree.add(each);
  }

  /** null: as far as is known somebody serves, although he may not have been asked. */
  get lostServer(): LostServer | null {
    return this.#servers.lost;
  }

  /** It was found unhealthy: by whom the process that served was killed, if that was so. */
  blameServerKill(): string | undefined {
    return this.#servers.blame()?.summary;
  }

  noteAsked(note: string): void {
    this.#servers.noteAsked();
    this.#attempt.noteAsked(note);
  }

  readAsked(): string | undefined {
    const note = this.#attempt.readAsked();
    if (note !== undefined) this.#servers.noteAsked(0);
    return note;
  }

  /** Looks for hangs of its Node processes, or, without a limit, no longer. */
  watchEventLoop(limitMs: number | null, observer: EventLoopObserver): void {
    this.#eventLoop?.end();
    const speakers = (): readonly Speaker[] => this.#channel.speakers;
    this.#eventLoop = limitMs === null ? undefined : new EventLoopWatch({ limitMs, speakers, observer });
  }

  isHanging(pid: number): boolean {
    return this.#eventLoop?.isHanging(pid) ?? false;
  }

  /** It answers a ping that it has not answered yet, or has ended. */
  async untilAnswered(pid: number): Promise<void> {
    await this.#eventLoop?.untilAnswered(pid);
  }

  /** By an exception that it has told of, and that nobody has caught since. */
  hasCrashed(pid: number): boolean {
    return this.#channel.crashes.has(pid);
  }

  /** What a process of it is doing. @default the one that listens, or else the application itself */
  async takeEvidence(pid = this.listening.at(-1)?.pid ?? this.#attempt.pid ?? 0): Promise<Finding> {
    const path = this.#channel.speakers.find((speaker) => speaker.pid === pid)?.path;
    const canBeInspected = this.#eventLoop?.canBeInspected(pid) ?? false;
    const wall = (): Date => this.#context.clock.wall();
    const onSignal = (seen: ProcessActivity): void => {
      this.#look = { pid, at: wall().getTime(), seen };
    };
    return takeEvidence({ pid, path, canBeInspected, onSignal }, wall);
  }

  endChecks(): void {
    this.#checks.end();
    this.#servers.end();
    this.#eventLoop?.end();
    this.#eventLoop = undefined;
  }

  /** Resolves when no connection is left, or nobody answers; `onClosed`: new connections are no longer taken. */
  drain(wish: DrainWish, onClosed: () => void): Promise<void> {
    return this.#channel.drain(wish, onClosed);
  }

  metrics(): ReturnType<Channel['metrics']> {
    this.#servers.look();
    return this.#channel.metrics();
  }

  /** Asks the application to end, where it wants so by a message instead of the signal. */
  stop(signal: SignalName, isByMessage: boolean): void {
    if (!isByMessage || signal === 'SIGKILL') return this.#attempt.stop(signal);
    this.#channel.tell('shutdown').then(
      (isTold) => (isTold ? undefined : this.#attempt.stop(signal)),
      () => this.#attempt.stop(signal),
    );
  }

  stopTree(signal: SignalName): void {
    this.#attempt.stopTree(signal);
  }

  killTree(): void {
    this.#attempt.killTree();
  }

  /** Just a signal; false where nothing runs. */
  signal(signal: SignalName): boolean {
    return !this.#isReleased && this.#attempt.signal(signal);
  }

  /** Nothing lives any more, and the next attempt is not due; see `Attempt.rest`. */
  rest(note: string): boolean {
    return this.#attempt.rest(note);
  }

  /** Nothing lives any more. */
  release(): void {
    this.#channel.close();
    this.#attempt.release();
    this.#isReleased = true;
  }

  /** The daemon goes, the process stays. */
  detach(): void {
    this.endChecks();
    this.#channel.close();
    this.#attempt.detach();
  }

  onReport(runName: string, report: ShimReport): void {
    if (this.#attempt.runName === runName) this.#attempt.onReport(report);
  }

  onShimGone(): void {
    this.#attempt.onShimGone();
  }

  onLauncherLost(): void {
    this.#attempt.onLauncherLost();
  }

  /** Pids of the whole tree, at this moment. */
  pids(): number[] {
    const { shim } = this;
    return shim === undefined ? [] : readTree(shim.pid).map((row) => row.pid);
  }

  #noteEnvironment(env: Readonly<Record<string, string>>): void {
    const { spec, log } = this.#setup;
    this.#env = env;
    for (const value of secretValues(env, spec)) log.secrets.add(value);
  }

  #makeAttempt(): Attempt {
    const { number, instance, spec, runDir, restarts, mark, log, observer } = this.#setup;
    const { launcher } = this.#context;
    return new Attempt({
      number,
      spec,
      runDir,
      launcher,
      log: { folder: log.folder, instance, attempt: number, limits: logLimits(spec) },
      restarts,
      mark,
      observer: {
        onSaid: (text, at) => this.#channel.onSaid(text, at),
        onNotify: (text) => this.#checks.onNews({ id: 'notify', text }),
        onLost: (loss) => this.#onLost(loss),
        onRunning: (at) => {
          this.#startedAt = at;
          this.#checks.onRunning();
          const pid = this.process?.pid;
          if (pid !== undefined) this.#group = readMemoryGroup(pid);
          if (this.#group) this.#context.explainer.watch(this.#group);
          observer.onRunning();
        },
        onExited: (exit, isTreeEmpty, at) => {
          this.#checks.onExited();
          this.endChecks();
          const livedMs = this.#startedAt === undefined ? 0 : at - this.#startedAt;
          const leftBehind = isTreeEmpty ? 0 : this.#attempt.leftBehind().length;
          const lastLines = this.#logRun ? log.lastWords(this.#logRun) : [];
          const error = this.#whatEnded(exit, at);
          const traces = this.#traces(exit, at, error);
          const lookedAt = endedByLook(this.#look, { exit, at, error, lastLines });
          observer.onExited({
            exit,
            isTreeEmpty,
            leftBehind,
            at: new Date(at),
            livedMs,
            lastLines,
            error,
            lookedAt,
            traces,
          });
        },
        onEmptied: () => observer.onEmptied(),
      },
    });
  }

  /** What bears on its end, and is gone or other when it is asked for. */
  #traces(exit: AttemptExit, at: number, error: ExitError | null): AttemptTraces {
    const { log } = this.#setup;
    const run = this.#logRun;
    const { pid, shim, begunAt } = this.#attempt;
    const { crashes, witnesses } = this.#channel;
    const variables = Object.keys(this.#env);
    return {
      begunAt: begunAt ?? this.#startedAt ?? at,
      pid: pid ?? null,
      shim: shim?.pid ?? null,
      hint: exit.kind === 'spawn-failed' ? (exit.hint ?? null) : null,
      errorPid: error ? crashes.whoCrashed({ pid, at }) : null,
      testimony: witnesses,
      serverKill: this.#servers.blamed,
      tree: this.#tree,
      group: this.#group,
      variables: variables.length === 0 ? null : new Set(variables),
      lastLines: (stream) => (run ? log.tailOf(run, stream, TAIL_BYTES) : []),
    };
  }

  #explainServerKill(found: ServerKill): BlamedKill {
    const { spec, instance, number: attempt } = this.#setup;
    const { pid = null, shim } = this.#attempt;
    const { witnesses: testimony } = this.#channel;
    const traces = { pid, shim: shim?.pid ?? null, tree: this.#tree, testimony };
    return this.#context.explainer.explainServerKill({
      service: spec.name,
      instance,
      attempt,
      found,
      traces,
    });
  }

  #whatEnded(exit: AttemptExit, at: number): ExitError | null {
    const run = this.#logRun;
    const lastError = (): ExitError | null => (run ? this.#setup.log.lastError(run, at) : null);
    const error = this.#channel.crashes.whatEnded({ exit, pid: this.#attempt.pid, at }, lastError);
    return error && { ...error, message: this.#setup.log.secrets.hide(error.message) };
  }

  /** The shim counts from the beginning of the attempt. */
  #onLost(loss: LossReport): void {
    const { bytes = 0, lines = 0 } = this.#losses[loss.stream] ?? {};
    if (loss.bytes <= bytes) return; // it was told before
    this.#losses[loss.stream] = loss;
    this.#setup.log.noteLoss(loss.bytes - bytes, loss.lines - lines);
    this.#setup.observer.onLost(loss);
  }

  /** What the log knows it by; undefined: it has written nothing. */
  get #logRun(): LogRun | undefined {
    const { instance, number: attempt } = this.#setup;
    const { begunAt } = this.#attempt;
    return begunAt === undefined ? undefined : { instance, attempt, begunAt };
  }

  #onListening(listening: Listening, at: number): void {
    this.#checks.onNews({ id: 'listening' });
    this.#servers.onListening(listening.pid, at);
    // Held back when it began, promoted since, and now a process of it opens another one.
    const mayBeHeldBack = listening.how === 'held' || listening.how === 'shared';
    if (mayBeHeldBack && this.#setup.isHeldBack && !this.#isCandidate)
      this.#channel.attach().catch(() => undefined); // the process has ended meanwhile
    this.#setup.observer.onListening(listening);
  }

  #makeTarget(): CheckTarget {
    const { spec, sockets, log } = this.#setup;
    const ports = (): ServiceSpec['ports'] => this.#portsToOpen();
    return {
      get ports() {
        return ports();
      },
      cwd: spec.cwd,
      env: () => this.#env,
      pids: () => this.pids(),
      listening: () => this.listening,
      isHeld: (port) => sockets.isHeld(port),
      isShared: (port) => this.#sharesPort(port),
      privateSocket: (port) => this.#channel.privateSocket(port),
      followOutput: (onLine) => this.#logRun && log.followRun(this.#logRun, onLine),
    };
  }

  /** Its program listens by way of the preload, as is known, or as the one before has shown. */
  #sharesPort(port: number): boolean {
    const { spec, sockets, shownPorts } = this.#setup;
    if (!sockets.isHeld(port)) return false;
    return inheritance(spec) === 'node' || (this.#isCandidate && shownPorts().includes(port));
  }

  /** Declared, or one of those that it takes over from one that serves. */
  #portsToOpen(): ServiceSpec['ports'] {
    const { ports } = this.#setup.spec;
    if (ports.length > 0 || !this.#isCandidate) return ports;
    const shown = this.#setup.shownPorts();
    const opened = shown.filter((port) => this.listening.some((each) => each.port === port));
    return (opened.length > 0 ? opened : shown).slice(0, 1).map((port) => ({ port, host: null, name: null }));
  }

  /** Who is to take over from one that listens, said or not, has to listen as well. */
  #ruleOfCandidate(): ServiceSpec {
    const { spec, shownPorts } = this.#setup;
    const { on, timeoutMs } = spec.ready;
    if (on !== 'start' || spec.ports.length > 0 || shownPorts().length === 0) return spec;
    return { ...spec, ready: { on: 'check', check: { on: 'port' }, timeoutMs } };
  }
}

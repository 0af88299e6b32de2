/** One spawn, from the shim's start until nothing of it is left: reports, signals. Decides nothing. */
import { basename } from 'node:path';
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { ServiceSpec, SignalName } from '../protocol/index.js';
import {
  errnoText,
  findByEnvironment,
  findCredentials,
  isAlive,
  killTree,
  leftovers,
  readReports,
  removeRunDir,
  runFiles,
  sendSignal,
  whyUnreadable,
  whyUnrunnable,
  type Launch,
  type Launcher,
  type LogTarget,
  type ProcessId,
  type ProcessRow,
  type ShimReport,
  type Unrunnable,
} from '../system/index.js';
import { unreachable } from '../util/index.js';
import type { AttemptExit } from './exit.js';
import type { LostServer } from './server-watch.js';

export interface AttemptObserver {
  /** The program was executed. Wall clock, milliseconds since the epoch. */
  onRunning(at: number): void;
  /** The process ended; everything that it wrote is in the logs. */
  onExited(exit: AttemptExit, isTreeEmpty: boolean, at: number): void;
  /** Its last descendant ended too. */
  onEmptied(): void;
  /** Its preload says something, see `Channel`. */
  onSaid(text: string, at: number): void;
  /** One VARIABLE=VALUE of sd_notify(3). */
  onNotify(text: string): void;
  /** Some of its output could not be written. */
  onLost(loss: LossReport): void;
}

/** What is executed, as prepared for this attempt. */
export type Execution = Pick<Launch, 'argv' | 'env' | 'sockets' | 'hasChannel' | 'isNotified'>;

export interface AttemptSetup {
  readonly number: number;
  readonly spec: ServiceSpec;
  readonly runDir: string;
  readonly launcher: Launcher;
  readonly log: LogTarget;
  readonly observer: AttemptObserver;
  /** Kept for the daemon that comes after this one. */
  readonly restarts: () => number;
  readonly mark: AttemptMark;
}

/** undefined: nothing speaks against executing it now. */
export function whyNotExecutable(
  { argv, cwd, script }: ServiceSpec,
  searchPath: string | undefined,
): Unrunnable | undefined {
  return whyUnrunnable(argv[0]!, cwd, searchPath) ?? (script === null ? undefined : whyUnreadable(script));
}

/**
 * Behind the number of restarts in the note of the shim, for the daemon that comes after this one. `c`: it is to be judged before
 * it serves; `g`: it runs by another description in the place of the one that serves.
 */
export type AttemptMark = '' | 'c' | 'g';

/** How often a tree whose shim was killed is looked for until it is gone. */
const LOST_POLL_MS = 100;
/** How often the orphans of a process that has just ended are looked for. */
const SWEEP_POLL_MS = 50;
const TOO_BIG_HINT = 'Linux takes 128 KiB for each argument and variable: leave what is longer in a file';

export type LossReport = Extract<ShimReport, { readonly id: 'lost' }>;
/** What comes once. */
type LifeReport = Exclude<ShimReport, { readonly id: 'said' | 'notify' | 'lost' }>;

export class Attempt {
  readonly number: number;
  readonly #setup: AttemptSetup;
  readonly #seen = new Set<LifeReport['id']>();
  #shim: ProcessId | undefined;
  #begunAt: number | undefined;
  #isLaunched = false;
  #isAdopted = false;
  #process: ProcessId | undefined;
  /** Asked for before the pid was known. */
  #pendingStop: SignalName | undefined;
  /** Pids that were asked to end after the application itself had. */
  readonly #asked = new Set<number>();
  #isResting = false;
  #isReleased = false;
  #hasAnswered = false;
  #isCancelled = false;

  constructor(setup: AttemptSetup) {
    this.number = setup.number;
    this.#setup = setup;
  }

  /** The application itself; undefined before it was executed and after it ended. */
  get process(): ProcessId | undefined {
    return this.#seen.has('exited') ? undefined : this.#process;
  }

  /** Of the application, also after its end. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What the shim reports under. */
  get runName(): string {
    return basename(this.#setup.runDir);
  }

  /** The launcher was asked for it, and nothing was heard yet. */
  get isLaunching(): boolean {
    return this.#isLaunched && !this.#shim && !this.#isReleased && !this.#seen.has('exited');
  }

  get shim(): ProcessId | undefined {
    return this.#shim;
  }

  /** Wall clock, milliseconds since the epoch; its output is known by it. */
  get begunAt(): number | undefined {
    return this.#begunAt;
  }

  spawn(execution: Execution): void {
    if (this.#isCancelled || this.#isReleased) return;
    const { spec, runDir, launcher, log } = this.#setup;
    const problem = this.#whyNot(execution.env);
    if (problem) return this.fail(problem.fact, problem.hint);
    const user = spec.user === null ? undefined : findCredentials(spec.user, spec.group);
    this.#isLaunched = true;
    launcher.launch(runDir, { ...execution, cwd: spec.cwd, user, log, note: wordNote(this.#setup) });
  }

  /** It could not be executed, or not even be prepared. */
  fail(fact: string, hint?: string): void {
    if (this.#seen.has('exited')) return;
    this.#seen.add('failed').add('exited').add('empty');
    this.#setup.observer.onExited({ kind: 'spawn-failed', fact, hint }, true, Date.now());
  }

  /** Takes back what a former daemon started: catches up with what was reported meanwhile. */
  adopt(): void {
    this.#isLaunched = true;
    this.#isAdopted = true;
    for (const report of withoutOutdated(readReports(this.#setup.runDir))) this.onReport(report);
    this.checkAdopted();
  }

  /** Takes back what had ended, and was told to have, under a former daemon; there may have been no shim. */
  adoptEnded(shim: ProcessId | undefined): void {
    this.#isLaunched = true;
    this.#isResting = true;
    this.#seen.add('exited').add('empty');
    this.#shim = shim;
  }

  onReport(report: ShimReport): void {
    if (this.#isReleased) return;
    switch (report.id) {
      case 'said':
        return this.#setup.observer.onSaid(report.text, report.at);
      case 'notify':
        return this.#setup.observer.onNotify(report.text);
      case 'lost':
        return this.#setup.observer.onLost(report);
      default:
        return this.#onLife(report);
    }
  }

  #onLife(report: LifeReport): void {
    if (this.#seen.has(report.id)) return;
    this.#seen.add(report.id);
    switch (report.id) {
      case 'shim':
        this.#shim = report.process;
        this.#begunAt = report.at;
        return;
      case 'running':
        this.#process = report.process;
        this.#setup.observer.onRunning(report.at);
        if (this.#pendingStop) this.stop(this.#pendingStop);
        return;
      case 'failed':
        this.#seen.add('exited').add('empty');
        this.#setup.observer.onExited(
          { kind: 'spawn-failed', ...this.#wordFailure(report) },
          true,
          report.at,
        );
        return;
      case 'exited':
        if (report.isTreeEmpty) this.#seen.add('empty');
        this.#setup.observer.onExited(toExit(report), report.isTreeEmpty, report.at);
        return;
      case 'empty':
        this.#setup.observer.onEmptied();
        return;
      default:
        unreachable(report);
    }
  }

  /** Just a signal, to the application itself; false where it does not run. */
  signal(signal: SignalName): boolean {
    return this.process !== undefined && sendSignal(this.process, signal);
  }

  /** Asks the application, not its descendants, to end. */
  stop(signal: SignalName): void {
    if (this.#process) endBy(this.#process, signal);
    else if (this.#isLaunched) this.#pendingStop = signal;
    else this.#cancel();
  }

  /** What the application left behind, at this moment. */
  leftBehind(): ProcessRow[] {
    return this.#shim ? leftovers(this.#shim.pid, this.#process?.pid ?? 0) : [];
  }

  /**
   * Asks what the application left behind to end, from above: only what nobody else looks after any more, and each
   * once. Behind a wrapper that is gone (npm) stands a master that wants to end its workers itself; told together, they
   * wait for each other.
   */
  stopTree(signal: SignalName): void {
    if (!this.#shim || this.#isReleased || this.#seen.has('empty')) return;
    for (const row of this.leftBehind()) {
      if (row.parent !== this.#shim.pid || this.#asked.has(row.pid)) continue;
      this.#asked.add(row.pid);
      endBy(row, signal);
    }
    setTimeout(() => this.stopTree(signal), SWEEP_POLL_MS);
  }

  killTree(): void {
    if (this.#shim && isAlive(this.#shim)) killTree(this.#shim.pid);
    else if (!this.#isLaunched) this.#cancel();
  }

  /** It serves: for the daemon that comes after this one. */
  markReady(): void {
    const { spec, mark } = this.#setup;
    // Whatever runs is ready by this rule, and serves unless it was to be judged first.
    if (this.#isReleased || (spec.ready.on === 'start' && mark === '')) return;
    try {
      writeFileSync(runFiles(this.#setup.runDir).ready, '', { mode: 0o600 });
    } catch {
      // as where the disk is full: a daemon that comes later asks anew whether it is ready, or lets it be judged again
    }
  }

  /** It takes traffic beside the one that serves: for the daemon that comes after this one. Throws where that cannot be noted. */
  markJoined(): void {
    if (this.#isReleased) return;
    writeFileSync(runFiles(this.#setup.runDir).joined, '', { mode: 0o600 });
  }

  /** A probe was answered: for the daemon that comes after this one. */
  noteAnswered(): void {
    if (this.#isReleased) return;
    const { answered } = runFiles(this.#setup.runDir);
    try {
      if (!this.#hasAnswered) writeFileSync(answered, '', { mode: 0o600 });
      this.#hasAnswered = true;
      const now = new Date();
      utimesSync(answered, now, now);
    } catch {
      // as where the disk is full, or its folder is gone with it: a daemon that comes later will not know
    }
  }

  /** When it answered a former daemon, wall clock. */
  get answeredAt(): number | undefined {
    return statSync(runFiles(this.#setup.runDir).answered, { throwIfNoEntry: false })?.mtimeMs;
  }

  /** Nobody serves any more, or somebody does again (null): for the daemon that comes after this one. */
  noteLost(lost: LostServer | null): void {
    if (this.#isReleased) return;
    const path = runFiles(this.#setup.runDir).lost;
    try {
      if (lost) writeFileSync(path, JSON.stringify(lost), { mode: 0o600 });
      else rmSync(path, { force: true });
    } catch {
      // as where the disk is full: a daemon that comes later will not know
    }
  }

  /** What a former daemon has noted. */
  readLost(): LostServer | null {
    try {
      return JSON.parse(readFileSync(runFiles(this.#setup.runDir).lost, 'utf8')) as LostServer;
    } catch {
      return null; // nobody is missing, or it was cut off with its daemon
    }
  }

  /** Who ends it: for the daemon that comes after this one. */
  noteAsked(note: string): void {
    if (this.#isReleased || !this.#shim) return;
    try {
      writeFileSync(runFiles(this.#setup.runDir).asked, note, { mode: 0o600 });
    } catch {
      // as where the disk is full: a daemon that comes later will not know
    }
  }

  /** What a former daemon has noted. */
  readAsked(): string | undefined {
    try {
      return readFileSync(runFiles(this.#setup.runDir).asked, 'utf8');
    } catch {
      return undefined; // nobody wanted it to end
    }
  }

  /**
   * It is over, and was told to be: until the next attempt its shim stays with the sockets, and the note in its folder
   * with what the next daemon has to know. False: it cannot be written.
   */
  rest(note: string): boolean {
    const { runDir } = this.#setup;
    try {
      mkdirSync(runDir, { recursive: true, mode: 0o700 }); // without a shim there is none
      this.#isResting = true;
      writeFileSync(runFiles(runDir).over, note, { mode: 0o600 });
      return true;
    } catch {
      return false; // as where the disk is full
    }
  }

  /** The shim may go. It reads on where survivors share the output. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    // The shim knows nothing of these files, and its folder could not go with them.
    const { over, asked, joined, answered, lost } = runFiles(this.#setup.runDir);
    for (const file of [over, asked, joined, answered, lost]) rmSync(file, { force: true });
    const isHeard = this.#shim !== undefined && sendSignal(this.#shim, 'SIGTERM');
    if (!isHeard && (this.#isLaunched || this.#isResting)) removeRunDir(this.#setup.runDir);
  }

  /** The daemon goes, the attempt stays. */
  detach(): void {
    this.#isReleased = true;
  }

  /** The launcher reports the end of its shims; that of an adopted one has to be looked up. */
  checkAdopted(): void {
    if (!this.#isAdopted || this.#isReleased || this.#seen.has('exited')) return;
    if (!this.#shim || !isAlive(this.#shim)) this.onShimGone();
  }

  /** The launcher was killed: it may not have read what it was asked. */
  onLauncherLost(): void {
    if (this.#isLaunched && !this.#shim) this.onShimGone();
  }

  #cancel(): void {
    this.#isCancelled = true;
    this.fail('stopped before it was executed');
  }

  #whyNot(env: Readonly<Record<string, string>>): Unrunnable | undefined {
    const { spec } = this.#setup;
    if (spec.user !== null && !findCredentials(spec.user, spec.group)) {
      return {
        fact: `user "${spec.user}"${spec.group === null ? '' : ` or group "${spec.group}"`} does not exist`,
      };
    }
    return whyNotExecutable(spec, env['PATH']);
  }

  #wordFailure(report: Extract<ShimReport, { id: 'failed' }>): { fact: string; hint?: string } {
    const { spec } = this.#setup;
    const error = errnoText(report.errno);
    switch (report.stage) {
      case 'cwd':
        return { fact: `its folder ${spec.cwd} cannot be entered: ${error}` };
      case 'user':
        return {
          fact: `it cannot run as user "${spec.user}": ${error}`,
          hint: 'run the daemon as root, or remove user',
        };
      case 'exec':
        return {
          fact: `${spec.argv[0]} cannot be executed: ${error}`,
          ...(report.errno === constants.errno.E2BIG && { hint: TOO_BIG_HINT }),
        };
      case 'sockets':
        return { fact: `its sockets cannot be handed over: ${error}` };
      case 'channel':
      case 'notify':
      case 'run-dir':
      case 'stdio':
        return { fact: `its output cannot be set up in ${this.#setup.runDir}: ${error}` };
      case 'fork':
        return {
          fact: `no process can be created: ${error}`,
          hint: 'look at the limits of processes and memory',
        };
    }
  }

  /** The shim left. It says why it may in its journal; otherwise somebody killed it. */
  onShimGone(): void {
    if (this.#isReleased) return;
    try {
      for (const report of readReports(this.#setup.runDir)) this.onReport(report);
    } catch {
      // no journal: the shim ended before it could write one
    }
    if (this.#seen.has('exited') && this.#seen.has('empty')) return;
    if (!this.#seen.has('running')) return this.fail('the shim ended before it executed anything');
    this.#endLostTree();
  }

  /** Without a shim the tree has no root: its processes are known by the environment that they were given. */
  #endLostTree(): void {
    if (this.#isReleased) return;
    const isProcessScope = this.#setup.spec.stop.killScope === 'process';
    const all = findByEnvironment(`UPKEEP_RUN=${this.#setup.runDir}`);
    const doomed = isProcessScope ? all.filter((row) => row.pid === this.#process?.pid) : all;
    if (doomed.length > 0) {
      for (const row of doomed) sendSignal(row, 'SIGKILL');
      setTimeout(() => this.#endLostTree(), LOST_POLL_MS);
      return;
    }
    if (!this.#seen.has('exited')) {
      this.#seen.add('exited').add('empty');
      const fact = 'its shim was killed: the exit status is unknown';
      this.#setup.observer.onExited({ kind: 'unknown', fact }, true, Date.now());
    } else if (!this.#seen.has('empty')) {
      this.#seen.add('empty');
      this.#setup.observer.onEmptied();
    }
  }
}

/** Losses are counted from the beginning: the last report of a stream says it all. */
function withoutOutdated(reports: readonly ShimReport[]): ShimReport[] {
  const last = new Map(reports.map((report) => [report.id === 'lost' ? report.stream : report, report]));
  return reports.filter((report) => report.id !== 'lost' || last.get(report.stream) === report);
}

/** Comes back from the shim's journal. */
function wordNote({ restarts, mark }: AttemptSetup): string {
  return `${restarts()}${mark}`;
}

/** A stopped process would keep the signal pending for ever. */
function endBy(id: ProcessId, signal: SignalName): void {
  if (sendSignal(id, signal) && signal !== 'SIGKILL') sendSignal(id, 'SIGCONT');
}

function toExit(report: Extract<ShimReport, { id: 'exited' }>): AttemptExit {
  const { signal, hasCore } = report;
  if (signal !== null) return { kind: 'signalled', signal, hasCore };
  return { kind: 'exited', code: report.code ?? 0 };
}

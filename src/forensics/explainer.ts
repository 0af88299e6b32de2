/**
 * Explains each exit, once: gathers what the machine still knows, decides, keeps the verdict and tells it. It does so right after the
 * exit was told, so that nothing waits for it; where its daemon ends in between, the next one does.
 */
import type { ExitError, ExitView, NewEvent, ServiceSpec, Verdict, WhyView } from '../protocol/index.js';
import {
  isAuditLogReadable,
  readAuditLog,
  findListener,
  readCommand,
  readKernelLog,
  SignalTrace,
  type Answer,
  type AuditRecords,
  type KernelRecord,
  type MemoryGroup,
  type SeenSignal,
} from '../system/index.js';
import { maskCommand } from '../util/index.js';
import { describeCulprit, type Surroundings } from './culprit.js';
import type { Asked, ExitEvidence, Testimony } from './evidence.js';
import { ExitArchive, type ExitQuestion } from './exit-archive.js';
import { culpritOf, judgeServerKill, victimOf, type BlamedKill, type ServerKill } from './killed-server.js';
import { OomCounters } from './oom-counters.js';
import { PendingExits } from './pending-exits.js';
import { decideVerdict, unknownVerdict } from './verdict.js';

/** What the supervisor knows of an attempt that has ended. */
export interface EndedAttempt {
  readonly spec: Pick<ServiceSpec, 'name' | 'argv'>;
  readonly instance: number;
  readonly attempt: number;
  readonly exit: ExitView;
  readonly asked: Asked | null;
  readonly traces: AttemptTraces;
}

/** What was noted of it while it lived. Times: wall clock, milliseconds since the epoch. */
export interface AttemptTraces {
  readonly begunAt: number;
  readonly pid: number | null;
  readonly shim: number | null;
  readonly hint: string | null;
  /** Whose `exit.error` is; null: read from its output. */
  readonly errorPid: number | null;
  readonly testimony: Testimony;
  /** What made it unhealthy, where its own wrapper did. */
  readonly serverKill: BlamedKill | null;
  readonly tree: ReadonlySet<number>;
  readonly group: MemoryGroup | undefined;
  readonly variables: ReadonlySet<string> | null;
  lastLines(stream: 'out' | 'err'): readonly string[];
}

type Place = Pick<AttemptTraces, 'pid' | 'shim' | 'tree' | 'testimony'>;

/** An attempt that lives on. */
export interface KilledAttempt {
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
  readonly found: ServerKill;
  readonly traces: Place;
}

/** An exit that is about to be explained. */
interface Due {
  readonly isDone: Promise<void>;
  readonly cancel: () => void;
}

export interface ExplainerOptions {
  readonly home: string;
  readonly emit: (event: NewEvent) => void;
  readonly onInternalError: (error: unknown) => void;
}

/** A kernel that killed somebody says so within this, and before its end. */
const KERNEL_MS = 10_000;
/** auditd has written by then what the kernel told it in the moment of the end. */
const AUDIT_MS = 300;

export class Explainer {
  readonly #options: ExplainerOptions;
  readonly #archive: ExitArchive;
  readonly #pending: PendingExits;
  readonly #due = new Set<Due>();
  readonly #oomCounters = new OomCounters();
  #trace: SignalTrace | undefined;

  constructor(options: ExplainerOptions) {
    this.#options = options;
    this.#archive = new ExitArchive(options.home);
    this.#pending = new PendingExits(options.home);
  }

  /** Before anything is started or taken back, so that no signal is missed and no exit is explained twice. */
  begin(): void {
    this.#trace ??= new SignalTrace(this.#options.home);
    for (const { ended, done } of this.#pending.left()) this.#explainAtLast(ended, done);
  }

  /** Resolves when all that have ended are explained. */
  async settle(): Promise<void> {
    await Promise.all([...this.#due].map(({ isDone }) => isDone));
  }

  /** An attempt has begun in the group. */
  watch(group: MemoryGroup): void {
    this.#oomCounters.watch(group);
  }

  /** Another daemon explains what is still to be. */
  letGo(): void {
    this.#oomCounters.end();
    for (const { cancel } of this.#due) cancel();
    this.#due.clear();
  }

  /** The home has nothing that could end. */
  end(): void {
    this.#trace?.remove();
    this.#trace = undefined;
  }

  explain(ended: EndedAttempt): void {
    const done = this.#pending.add(ended);
    const mayBeAudited = this.#trace?.isThere !== true && mayBeStrangers(ended.exit);
    let cancel = (): void => undefined;
    const isDone = new Promise<void>((resolve) => {
      const explain = (): void => {
        this.#explainAtLast(ended, done);
        this.#due.delete(due);
        resolve();
      };
      if (mayBeAudited && isAuditLogReadable()) {
        const timer = setTimeout(explain, AUDIT_MS);
        cancel = () => clearTimeout(timer);
      } else {
        const immediate = setImmediate(explain);
        cancel = () => clearImmediate(immediate);
      }
    });
    const due: Due = { isDone, cancel };
    this.#due.add(due);
  }

  /** Nothing of the attempt has ended but the process that served. */
  explainServerKill({ service, instance, attempt, found, traces }: KilledAttempt): BlamedKill {
    const { pid: killer, at: killedAt, name } = culpritOf(found);
    const by = describeCulprit(killer, killedAt, name, surroundings(traces));
    const verdict = judgeServerKill(found, traces.pid, by);
    const { child, at: endedAt } = victimOf(found);
    const [pid, at] = [found.server, new Date(endedAt).toISOString()];
    if (this.#archive.addKilled({ service, instance, attempt, at, pid, child, verdict })) {
      const { cause, summary, hint } = verdict;
      this.#options.emit({ type: 'server-killed', service, instance, attempt, pid, cause, summary, hint });
    }
    return verdict;
  }

  /** What the kernel has seen of signals, where it may be asked. */
  signals(): readonly SeenSignal[] {
    const trace = this.#trace?.read() ?? NOT_BEGUN;
    return 'found' in trace ? trace.found : [];
  }

  find(service: string, question: ExitQuestion): WhyView {
    return this.#archive.find(service, question);
  }

  headline(service: string, instance: number, attempt: number): string | undefined {
    return this.#archive.headline(service, instance, attempt);
  }

  #explainAtLast(ended: EndedAttempt, done: () => void): void {
    try {
      this.#tell(ended, decideVerdict(this.#gather(ended)));
    } catch (error) {
      this.#options.onInternalError(error);
      this.#tell(ended, unknownVerdict(ended.exit));
    } finally {
      done();
    }
  }

  #tell({ spec: { name: service }, instance, attempt, exit, traces }: EndedAttempt, verdict: Verdict): void {
    if (verdict.cause === 'cgroup-oom' && traces.group)
      this.#oomCounters.spend(traces.group, Date.parse(exit.at));
    const explained = { service, instance, attempt, pid: traces.pid, exit, verdict };
    if (!this.#archive.add(explained)) return;
    const { cause, summary, confidence } = verdict;
    this.#options.emit({ type: 'exit-explained', service, instance, attempt, cause, summary, confidence });
  }

  #gather({
    spec,
    exit,
    asked,
    traces,
  }: Pick<EndedAttempt, 'spec' | 'exit' | 'asked' | 'traces'>): ExitEvidence {
    const { pid, shim, testimony, tree, errorPid, serverKill } = traces;
    const endedAt = Date.parse(exit.at);
    const around = surroundings(traces);
    const signals = this.#trace?.read() ?? NOT_BEGUN;
    const kernel = mayBeKernels(exit) ? readKernelLog(endedAt - KERNEL_MS) : NOT_ASKED;
    return {
      exit,
      endedAt,
      begunAt: traces.begunAt,
      pid,
      shim,
      argv: spec.argv,
      asked,
      hint: traces.hint,
      error: exit.error ? { ...(exit.error satisfies ExitError), pid: errorPid } : null,
      testimony,
      serverKill,
      tree,
      signals,
      audit: 'missing' in signals && mayBeStrangers(exit) ? readAuditLog(traces.begunAt, kernel) : NO_RECORDS,
      kernel,
      group: this.#killsIn(traces.group, endedAt),
      err: traces.lastLines('err'),
      out: traces.lastLines('out'),
      variables: traces.variables,
      describe: (culprit, seenAt, name) => describeCulprit(culprit, seenAt, name, around),
      holderOf,
    };
  }

  #killsIn(group: MemoryGroup | undefined, endedAt: number): ExitEvidence['group'] {
    const kills = group && this.#oomCounters.killsBefore(group, endedAt);
    if (!group || kills === undefined) return { missing: 'its control group does not count' };
    return { found: { path: group.path, kills, limitBytes: group.limitBytes } };
  }
}

function surroundings({ pid, shim, tree, testimony }: Place): Surroundings {
  const own = new Set([process.pid, process.ppid]);
  return { pid, shim, tree: new Set([...tree, ...testimony.pids]), own };
}

const NOT_BEGUN = { missing: 'it was not begun' };
const NO_RECORDS: Answer<AuditRecords> = { found: { signals: [], crashes: [] } };

function mayBeStrangers({ kind, askedBy }: ExitView): boolean {
  return (kind === 'signalled' || kind === 'exited') && askedBy === null;
}

const NOT_ASKED: Answer<readonly KernelRecord[]> = { found: [] };

/** Reading the kernel's whole ring costs milliseconds: only where it may have had a hand in it. */
function mayBeKernels({ kind, code, askedBy }: ExitView): boolean {
  return (kind === 'signalled' || (kind === 'exited' && code !== 0)) && askedBy === null;
}

function holderOf(port: number): string | undefined {
  const holder = findListener(port);
  if (!holder) return undefined;
  if (holder.pid === null) return 'a process of another user';
  return `pid ${holder.pid} (${maskCommand(readCommand(holder.pid) ?? 'ended')})`;
}

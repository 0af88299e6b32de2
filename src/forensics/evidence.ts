/** What is known when an attempt has ended: the input of a verdict. Times are wall clock, milliseconds since the epoch. */
import type { Culprit, ExitError, ExitView } from '../protocol/index.js';
import type { BlamedKill } from './killed-server.js';
import type { Answer, AuditRecords, KernelRecord, SeenSignal } from '../system/index.js';

/** What its Node processes said through the preload. */
export interface Testimony {
  /** Node processes of the attempt, in which the preload is. */
  readonly pids: ReadonlySet<number>;
  /** `process.exit(code)`, `process.abort()`. */
  readonly exitCalls: readonly ExitCall[];
  readonly kills: readonly SentKill[];
  readonly childEnds: readonly ChildEnd[];
  /** Processes whose last exception was a promise that nobody handled. */
  readonly rejections: ReadonlySet<number>;
}

export interface ExitCall {
  readonly pid: number;
  readonly at: number;
  /** null: process.abort(). */
  readonly code: number | null;
  /** `server.js:10`. */
  readonly place: string | null;
}

export const KILL_REASONS = ['call', 'max-buffer', 'timeout', 'abort'] as const;

export interface SentKill {
  readonly pid: number;
  readonly at: number;
  readonly target: number;
  readonly signal: string;
  /** `call` by the application; the others by child_process itself. */
  readonly reason: (typeof KILL_REASONS)[number];
  readonly place: string | null;
  /** Of the child that it is meant for. */
  readonly command: string | null;
  /** What the child had printed by then, bytes. */
  readonly printedBytes: number | null;
  /** It was the answer to a signal that the process itself had got. */
  readonly isPassedOn: boolean;
}

export interface ChildEnd {
  readonly pid: number;
  readonly at: number;
  readonly child: number;
  readonly code: number | null;
  readonly signal: string | null;
  readonly command: string | null;
}

/** What upkeep itself did to the attempt. */
export interface Asked {
  readonly by: string;
  /** Signals that it has sent, in order. */
  readonly signals: readonly string[];
}

export interface ExitEvidence {
  readonly exit: ExitView;
  readonly endedAt: number;
  readonly begunAt: number;
  /** Of the application and its shim. */
  readonly pid: number | null;
  readonly shim: number | null;
  readonly argv: readonly string[];
  readonly asked: Asked | null;
  readonly hint: string | null;
  readonly error: (ExitError & { readonly pid: number | null }) | null;
  readonly testimony: Testimony;
  /** What made it unhealthy, where its own wrapper did. */
  readonly serverKill: BlamedKill | null;
  /** Processes of the attempt that were seen while it lived. */
  readonly tree: ReadonlySet<number>;
  readonly signals: Answer<readonly SeenSignal[]>;
  /** Looked at where there is no trace; it has only what it was told to note. */
  readonly audit: Answer<AuditRecords>;
  readonly kernel: Answer<readonly KernelRecord[]>;
  /** Of the control group that it began in. */
  readonly group: Answer<{
    readonly path: string;
    readonly kills: number;
    readonly limitBytes: number | null;
  }>;
  /** What it wrote last to stderr, and to stdout. */
  readonly err: readonly string[];
  readonly out: readonly string[];
  /** Names of its variables; null: not known. */
  readonly variables: ReadonlySet<string> | null;
  /** Looked up where it is needed. */
  describe(pid: number, seenAt: number, name: string): Culprit;
  /** Who listens on the port now: `pid 4121 (node /srv/old.js)`. */
  holderOf(port: number): string | undefined;
}

export const NO_TESTIMONY: Testimony = {
  pids: new Set(),
  exitCalls: [],
  kills: [],
  childEnds: [],
  rejections: new Set(),
};

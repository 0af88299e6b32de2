/**
 * The facts that checks judge. Plain data, so that a test makes up a machine; `facts/` reads the real one, each fact
 * when it is first asked for, and only once.
 */
import type { UnitOnDisk } from '../boot/index.js';
import type { DiskSpace } from '../core/index.js';
import type {
  DaemonView,
  OperationView,
  ServiceSpec,
  ServiceView,
  SpecChange,
  UpkeepEvent,
} from '../protocol/index.js';
import type { StoredService } from '../store/index.js';

export interface Machine {
  /** Wall clock, milliseconds since the epoch; so are all times here. */
  readonly now: number;
  /** Who asks. */
  readonly uid: number;
  readonly version: string;
  /** Whoever lives and can be seen; no zombies. */
  readonly processes: ReadonlyMap<number, Process>;
  /** The home that is asked about. */
  readonly home: Home;
  /** Every home that was found, that one first. */
  readonly homes: readonly Home[];
  /** What the daemon of the home answers. */
  readonly answer: Answer;
  readonly configurations: readonly ConfigurationDrift[];
  readonly units: readonly BootUnit[];
  readonly memory: MemoryHistory;
  /** Words for what could not be looked at. */
  readonly unseen: ReadonlySet<string>;
  /** Who listens on a port: undefined: nobody; empty: somebody who cannot be seen. */
  listenersOn(port: number): readonly Process[] | undefined;
  /** undefined: there is no such file, or it cannot be seen. */
  file(path: string): FileFact | undefined;
  /** The variables of an env file. */
  namesIn(envFile: string): readonly string[];
  /** What a service would get at a start now; undefined where that cannot be told without doing something. */
  environmentOf(spec: ServiceSpec): ExpectedEnvironment | undefined;
  /** `20.20.2`; undefined: it is no Node.js, or may not be asked. */
  nodeVersionOf(process: Process): string | undefined;
  /** What the nearest files around a folder want of Node.js. */
  nodeDemandsOf(folder: string): readonly NodeDemand[];
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** undefined: it has ended meanwhile. */
  readonly uid: number | undefined;
  readonly name: string;
  readonly startedAt: number;
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly executable: Executable | undefined;
  /** What it was executed with; undefined where that cannot be seen. */
  readonly environment: Readonly<Record<string, string>> | undefined;
  /** What its descriptors lead to, by number: `socket:[81]`, `/dev/null`. */
  readonly descriptors: ReadonlyMap<number, string>;
  readonly limits: ProcessLimits;
  readonly swapBytes: number;
  /** As /proc has them, one a line. */
  readonly controlGroups: string;
}

export interface Executable {
  readonly path: string;
  /** What lies at that path now. */
  readonly now: 'same' | 'replaced' | 'gone';
}

/** Soft limits; Infinity: unlimited. */
export interface ProcessLimits {
  readonly openFiles: number;
  readonly processes: number;
}

export interface Home {
  readonly path: string;
  readonly exists: boolean;
  readonly ownerUid: number;
  readonly daemon: Process | undefined;
  /** The process that holds `daemon.lock`. */
  readonly lockOwner: Process | undefined;
  readonly services: readonly StoredService[];
  /** What was unusual about the stored state. */
  readonly stateNotes: readonly string[];
  readonly instances: readonly LiveInstance[];
  /** The latest, oldest first; as its daemon tells them, where it does. */
  readonly events: readonly UpkeepEvent[];
  /** Accepted and not ended, after its journal. */
  readonly unfinished: readonly OperationView[];
  /** All below it. */
  readonly files: readonly FileFact[];
  readonly runs: readonly RunFolder[];
  readonly disk: DiskSpace | undefined;
}

/** An attempt whose shim lives. */
export interface LiveInstance {
  readonly service: string;
  readonly instance: number;
  readonly shim: Process;
  /** undefined: it has ended, the shim waits for the daemon. */
  readonly main: Process | undefined;
  /** When its shim says that it began, by the wall clock of that moment. */
  readonly startedAt: number | undefined;
  /** All below the shim. */
  readonly tree: readonly Process[];
}

export interface RunFolder {
  readonly path: string;
  readonly isShimAlive: boolean;
  readonly changedAt: number;
}

export interface FileFact {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'socket' | 'other';
  readonly uid: number;
  readonly bytes: number;
  readonly changedAt: number;
  /** After the permission bits of the file and of every folder above it. */
  readonly readableBy: 'owner' | 'group' | 'everyone';
}

export type Answer =
  | {
      readonly kind: 'answers';
      readonly daemon: DaemonView;
      readonly services: readonly ServiceView[];
      readonly operations: readonly OperationView[];
      /** The latest, oldest first. */
      readonly events: readonly UpkeepEvent[];
    }
  | { readonly kind: 'none'; readonly why: string };

export interface ExpectedEnvironment {
  readonly known: Readonly<Record<string, string>>;
  /** Names of what a command would have to be run for. */
  readonly unknown: readonly string[];
}

/** A configuration file that services came from, against what is stored of them. */
export type ConfigurationDrift =
  | { readonly kind: 'read'; readonly file: string; readonly changes: readonly SpecChange[] }
  | { readonly kind: 'missing'; readonly file: string; readonly services: readonly string[] }
  | { readonly kind: 'invalid'; readonly file: string; readonly problems: readonly string[] };

/** One that starts a daemon at boot. */
export type BootUnit = UnitOnDisk;

export interface MemoryHistory {
  /** Since the boot of the machine. */
  readonly oomKills: number;
  /** Of these, in the control groups of the home's processes. */
  readonly oomKillsOfOurs: number;
  /** `node (pid 812)`, as the kernel log has them. */
  readonly victims: readonly string[];
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

export interface NodeDemand {
  readonly file: string;
  readonly range: string;
}

/**
 * What every stage of a release is told, and what it may answer. Stages up to `preflight` are done in a child process
 * (worker/): whatever they read, unpack or run costs the daemon nothing and cannot hold it up.
 */
import type {
  ReleaseBuild,
  ReleaseCandidate,
  ReleaseCheck,
  ReleaseSpec,
  ReleaseStage,
  ReleaseTarget,
  ReleaseView,
  WaiverSpec,
} from '../protocol/index.js';

export interface StageJob {
  readonly id: string;
  readonly kind: ReleaseView['kind'];
  /** Of the daemon, for `install` alone, where settings of an installer name what they need of it. @default that of this process */
  readonly environment?: NodeJS.ProcessEnv;
  readonly home: string;
  readonly spec: ReleaseSpec;
  readonly target: ReleaseTarget;
  readonly waive: readonly WaiverSpec[];
  /** What `resolve` answered; absent: `fetch` chooses by itself. */
  readonly choice?: BuildChoice | null;
  /** Of this release, as far as it is known. */
  readonly build: ReleaseBuild | null;
  /** In the store: the archive, or the folder, whose content is `build.sha256`. */
  readonly artifact: string | null;
  /** `<spec.folder>/<name>`: where the release lies, or will lie. */
  readonly folder: string | null;
  /** What serves now. */
  readonly previous: PreviousRelease | null;
  /** Where it failed, for what is done about that. */
  readonly failedAt?: ReleaseStage | null;
  /** Of its group, on this host. */
  readonly kept?: readonly KeptRelease[];
  /** What stays in the store: checksums of the builds of all groups of the home. */
  readonly keptBuilds?: readonly string[];
}

export interface KeptRelease {
  readonly id: string;
  readonly folder: string;
  readonly isCurrent: boolean;
  /** It was never good, and does not serve. */
  readonly hasFailed: boolean;
  /** Where a rollback goes. */
  readonly isWayBack: boolean;
}

/**
 * The build that `resolve` chose, in the words of its source: `fetch` brings this one, and does not choose again where time has
 * passed. Nothing in it is secret.
 */
export interface BuildChoice {
  /** For a person: where it comes from. */
  readonly from: string;
  readonly commit: string | null;
  readonly version: string | null;
  /** Its name at its source, where what bears it never changes; null: it may be another one tomorrow. */
  readonly identity: string | null;
  /** Where it is known beforehand. */
  readonly sha256: string | null;
  /** What the source needs to find it again. */
  readonly place: Readonly<Record<string, string>>;
}

export interface PreviousRelease {
  readonly id: string;
  readonly folder: string;
  readonly version: string | null;
  readonly commit: string | null;
}

/** What a stage found out. Whatever is absent stays as it was. */
export interface StageResult {
  readonly candidates?: readonly ReleaseCandidate[];
  readonly choice?: BuildChoice;
  readonly build?: ReleaseBuild;
  readonly artifact?: string;
  readonly folder?: string;
  readonly checks?: readonly ReleaseCheck[];
  readonly keys?: ReleaseView['keys'];
  readonly notes?: readonly string[];
  /** One line: what came out. */
  readonly text?: string;
}

export interface StageContext {
  /** One line of what is done at this moment; a download tells `12 of 48 MB`. */
  say(progress: string): void;
  /** What came out before the stage ended, also where it fails: candidates, checks. */
  note(result: StageResult): void;
  readonly signal: AbortSignal;
}

/** Throws an `UpkeepError` where the release cannot go on; nothing that serves was touched. */
export type Stage = (job: StageJob, context: StageContext) => Promise<StageResult>;

/**
 * What every stage of a release is told, and what it may answer. Stages up to `preflight` are done in a child process
 * (worker/): whatever they read, unpack or run costs the daemon nothing and cannot hold it up.
 */
import type {
  ReleaseBuild,
  ReleaseCandidate,
  ReleaseCheck,
  ReleaseSpec,
  ReleaseTarget,
  ReleaseView,
  WaiverSpec,
} from '../protocol/index.js';

export interface StageJob {
  readonly id: string;
  readonly home: string;
  readonly spec: ReleaseSpec;
  readonly target: ReleaseTarget;
  readonly waive: readonly WaiverSpec[];
  /** Of this release, as far as it is known. */
  readonly build: ReleaseBuild | null;
  /** In the store: the archive, or the folder, whose content is `build.sha256`. */
  readonly artifact: string | null;
  /** `<spec.folder>/<name>`: where the release lies, or will lie. */
  readonly folder: string | null;
  /** What serves now. */
  readonly previous: PreviousRelease | null;
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

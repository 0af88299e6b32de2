/** What a worker is given, and what it says: one JSON value a line. */
import type { HookPoint, ReleaseStage } from '../../protocol/index.js';
import type { StageJob, StageResult } from '../job.js';

/** A stage, the hooks of one point, the clearing away of old releases, or of this one. */
export type TaskName = ReleaseStage | `hooks ${HookPoint}` | 'prune' | 'discard';

export interface WorkerJob {
  readonly task: TaskName;
  readonly job: StageJob;
}

export type WorkerMessage =
  | { readonly say: string }
  | { readonly note: StageResult }
  | { readonly done: StageResult }
  | { readonly failed: WorkerFailure };

export interface WorkerFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly lines?: readonly string[] | undefined;
}

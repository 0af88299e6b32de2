/**
 * New instances of one or several services beside the ones that serve: started and judged without traffic, let in, and then
 * either kept (the old ones go last) or sent away (the old ones have noticed nothing). What a release is made with; unlike a
 * reload, who asks decides when to go on.
 */
import type { ServiceSpec } from '../protocol/index.js';

export interface SwitchoverWish {
  /** Who decides; a daemon that comes after this one asks for it again by this name. */
  readonly release: string;
  /** What the new instances are instances of; the services exist, or are created with the first commit. */
  readonly specs: readonly ServiceSpec[];
  readonly askedBy: string;
  onProgress(text: string): void;
}

/** One instance as it is seen while old and new live side by side. */
export interface SideView {
  readonly service: string;
  readonly instance: number;
  readonly attempt: number;
  readonly side: 'old' | 'new';
  readonly takesTraffic: boolean;
  readonly pid: number | null;
  readonly rssBytes: number | null;
  /** How it ended, where it has. */
  readonly ended: string | null;
  /** Restarts of this instance since the switchover began. */
  readonly restarts: number;
  /** Of its processes together, since each of them began; null: none of them counts. */
  readonly counts: {
    readonly requests: number;
    readonly errors: number;
    readonly durationMs: number;
    readonly latency: readonly number[];
  } | null;
}

export interface Switchover {
  /**
   * Starts what is new and judges it: ready, its service's `reload.verify`, alive for `stableMs`. Resolves when all of them are fit;
   * rejects with an `UpkeepError` that tells what was not, and has ended all of them by then.
   */
  boot(options: { readonly stableMs: number; readonly signal: AbortSignal }): Promise<void>;
  /** Lets new ones take traffic, one after the other: `count` of each service at most in all. */
  join(count: number): Promise<void>;
  /** Both sides, as they are. */
  look(): Promise<readonly SideView[]>;
  /** Resolves with what happened when a new one has ended or become unhealthy, or never. */
  untilFallen(signal: AbortSignal): Promise<string>;
  /** For smoke checks of exactly one new instance, also before it takes traffic. */
  check(
    service: string,
    instance: number,
    check: import('../protocol/index.js').CheckSpec,
    timeoutMs: number,
  ): Promise<{ isSuccess: boolean; detail: string }>;
  /** The new description is saved, the new ones are the service, the old ones drain and end. Can be done again. */
  commit(): Promise<void>;
  /** The new ones drain and end. Can be done again. */
  revert(): Promise<void>;
}

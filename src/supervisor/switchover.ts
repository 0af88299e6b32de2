/**
 * New instances of one or several services beside the ones that serve: started and judged without traffic, let in, and then
 * either kept (the old ones go last) or sent away (the old ones have noticed nothing). What a release is made with; unlike a
 * reload, who asks decides when to go on.
 *
 *           boot            join             commit
 *   idle ─────────▶ fit ───────────▶ joined ─────────▶ committed
 *     ▲  rejected    │ revert, stop,  │
 *     └──────────────┴── abort ───────┘
 *
 * From its turn until it is committed or taken back it holds the services as an operation does (`release` in `upkeep operations`).
 */
import type { CheckSpec, Failure, ServiceSpec } from '../protocol/index.js';

export interface SwitchoverWish {
  /**
   * The name of this switchover: a daemon that comes after this one is asked for it again by it, and what was committed under it
   * stays so. Another one, as the way back, has another name.
   */
  readonly release: string;
  /** What the new instances are instances of; services that do not exist are created, and deleted where it comes to nothing. */
  readonly specs: readonly ServiceSpec[];
  /** What is not there, or is not wanted, when its turn comes stays so; it gets its description, and no instance. @default false */
  readonly onlyWanted?: boolean;
  /** Said of what is ended for it. */
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
  /** How it ended, where it has, other than with its work done. */
  readonly ended: string | null;
  /** Restarts of this instance since the switchover began. */
  readonly restarts: number;
  /** Of its processes together, since they were first asked, which is before they take traffic; null: none of them counts. */
  readonly counts: SideCounts | null;
}

export interface SideCounts {
  readonly requests: number;
  readonly errors: number;
  /** At this moment: in progress, and without a word for five seconds. */
  readonly unanswered: number;
  readonly durationMs: number;
  /** See src/metrics/histogram.ts. */
  readonly latency: readonly number[];
}

export interface BootOptions {
  /** How long new instances live, ready and verified, before they are fit. */
  readonly stableMs: number;
  /** Both sides are looked at afterwards: what they count, they count from now on. Processes that hang are waited for, a second. */
  readonly isCompared: boolean;
  readonly signal: AbortSignal;
}

export interface Switchover {
  /** The new description is what the services are, also on disk. */
  readonly isCommitted: boolean;
  /** Once it has begun: instances of one of its services are stopped before their successors start, and nothing of upkeep's holds their ports. */
  readonly isOneByOne: boolean;
  /** Whether `onlyWanted` leaves this one without an instance, as things are. */
  isLeft(service: string): boolean;
  /** What to know although it goes well, as where old and new cannot live side by side. */
  readonly notes: readonly string[];
  /**
   * Waits until earlier operations on the services are done, starts what is new and judges it: ready, its service's `reload.verify`,
   * alive for `stableMs`. Resolves when all of them are fit; rejects with an `UpkeepError` that tells what was not, and has ended
   * all of them by then. Asked again, it takes those that are fit or have joined for what they are, and starts what is missing since
   * a former daemon; one that was fit and has fallen since is such a failure.
   */
  boot(options: BootOptions): Promise<void>;
  /** Lets new ones take traffic, one after the other, until `count` of each service do. */
  join(count: number): Promise<void>;
  /** Both sides, as they are. After the commit: `new` is what serves, `old` what still leaves. */
  look(): Promise<readonly SideView[]>;
  /**
   * Resolves with what happened when a new one has ended or become unhealthy, or the switchover was given up for another operation;
   * or never. After the commit: when one that serves has, other than on request.
   */
  untilFallen(signal: AbortSignal): Promise<string>;
  /** Of a service that has no new instance before it joins: why; undefined: it has, or should have. */
  whyNoneYet(service: string): string | undefined;
  /** For smoke checks of exactly one new instance, also before it takes traffic. */
  check(
    service: string,
    instance: number,
    check: CheckSpec,
    timeoutMs: number,
  ): Promise<{ isSuccess: boolean; detail: string }>;
  /**
   * All of the new ones take traffic, the new description is saved, the new ones are the services, and the old ones begin to drain.
   * Can be done again. Rejects, and has changed nothing, where one of them has fallen or the state cannot be saved.
   */
  commit(): Promise<void>;
  /** After the commit: resolves when the old ones have ended. */
  untilOldGone(signal: AbortSignal): Promise<void>;
  /** The new ones drain and end, for this reason. Can be done again. Rejects where it was committed. */
  revert(because?: Failure): Promise<void>;
}

/** What is seen of old and new instances while both serve: the input of the gates. */

/** One moment. What is counted is what came since the look before. */
export interface Look {
  /** Milliseconds since the first look. */
  readonly atMs: number;
  /** By service: a rare one must not hide behind a busy one. */
  readonly services: Readonly<Record<string, ServiceLook>>;
}

export interface ServiceLook {
  readonly old: SideLook;
  readonly new: SideLook;
  /** Kinds of errors that were first seen since the release began, with all that is known by now. */
  readonly kinds: readonly NewErrorKind[];
}

export interface SideLook {
  /** null: nothing of it counts requests. */
  readonly requests: number | null;
  /** Answers of 500 and more. */
  readonly errors: number;
  /** At this moment: in progress, and without a word for five seconds. */
  readonly unanswered: number;
  /** How long requests took; null: there were none. */
  readonly medianMs: number | null;
  readonly instances: readonly InstanceLook[];
}

export interface InstanceLook {
  /** `0`: within the service. */
  readonly name: string;
  readonly rssBytes: number | null;
  /** Since the release began. */
  readonly restarts: number;
  /** How it ended, where it has. */
  readonly ended: string | null;
}

export interface NewErrorKind {
  readonly id: string;
  readonly title: string;
  readonly count: number;
  /** Of the stack; null: it has none. */
  readonly firstLine: string | null;
  /** Who wrote it; `unknown`: the log does not say, so it is the release's by its time. */
  readonly by: 'new' | 'old' | 'both' | 'unknown';
}

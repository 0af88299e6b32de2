/** How a release went, as those saw it who asked meanwhile. */
import type { ReleaseStage, ReleaseView } from '../../../src/protocol/index.js';
import type { Answer } from '../support/rate-load.js';

export interface CourseFacts {
  readonly view: ReleaseView;
  readonly answers: readonly Answer[];
  /** The version that has to serve throughout. */
  readonly good: string;
  readonly bad: string;
  /** Some of the new ones are let in before the others. */
  readonly hasCanary: boolean;
}

export class Course {
  /** Wall clock, milliseconds: when it was given traffic; undefined: never. */
  readonly switchedAt: number | undefined;
  /** When it was decided that it is bad. */
  readonly redAt: number;
  /** From then on until only the good one answers, and well. */
  readonly restoredMs: number;
  readonly failed: readonly Answer[];
  readonly failedBefore: number;
  /** How many requests the bad one answered. */
  readonly byBad: number;
  /** Of all requests, from its first answer until it was decided. */
  readonly shareOfBad: number;
  /** The longest time without a good answer of the good one, milliseconds. */
  readonly longestGapMs: number;

  constructor({ view, answers, good, bad, hasCanary }: CourseFacts) {
    this.switchedAt = beginOf(view, hasCanary ? 'canary' : 'switch');
    this.redAt = Date.parse(view.stages.at(-1)?.finishedAt ?? view.acceptedAt);
    this.failed = answers.filter(({ fault }) => fault !== null);
    const hurt = answers.filter(({ version, fault }) => version === bad || fault !== null);
    this.restoredMs = Math.max(0, (hurt.at(-1)?.at ?? 0) - this.redAt);
    this.failedBefore = this.failed.filter(({ at }) => at < (this.switchedAt ?? Infinity)).length;
    const ofBad = answers.filter(({ version }) => version === bad);
    this.byBad = ofBad.length;
    const meanwhile = answers.filter(({ at }) => at >= (ofBad[0]?.at ?? Infinity) && at <= this.redAt);
    const share = meanwhile.filter(({ version }) => version === bad).length / meanwhile.length;
    this.shareOfBad = meanwhile.length === 0 ? 0 : share;
    const goodAt = answers.flatMap(({ version, fault, at }) =>
      version === good && fault === null ? at : [],
    );
    this.longestGapMs = Math.max(0, ...goodAt.slice(1).map((at, place) => at - goodAt[place]!));
  }
}

function beginOf({ stages }: ReleaseView, stage: ReleaseStage): number | undefined {
  const found = stages.find((each) => each.stage === stage);
  return found && Date.parse(found.startedAt);
}

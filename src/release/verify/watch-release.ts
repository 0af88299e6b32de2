/** Looks at a release about once a second while old and new instances serve side by side, until it is known how it is. */
import { judge, type GateSpec, type Judgement, type Look } from '../../core/index.js';
import type { ReleaseCheck, ReleaseStage, VerifySpec } from '../../protocol/index.js';
import type { Switchover } from '../../supervisor/index.js';
import type { Clock } from '../../system/index.js';
import { waitUntil } from '../wait.js';
import { NewKinds, type ReleaseErrors } from './new-kinds.js';
import { Observation } from './observation.js';
import { askSmoke } from './smoke.js';

export interface WatchOptions {
  readonly spec: VerifySpec;
  /** What it is done for; each of the three has a time of its own in `spec`. */
  readonly stage: Extract<ReleaseStage, 'canary' | 'verify' | 'bake'>;
  readonly switchover: Pick<Switchover, 'look' | 'untilFallen' | 'check' | 'whyNoneYet'>;
  readonly errors: ReleaseErrors;
  /** Wall clock, milliseconds: when the first new instance was started. */
  readonly since: number;
  /** Kinds of errors that releases before were not good for. @default none */
  readonly refusedKinds?: ReadonlySet<string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** After each look: all that was looked at, with figures. */
  onChecks(checks: readonly ReleaseCheck[]): void;
}

export type WatchOutcome =
  'green' | { readonly red: readonly ReleaseCheck[] } | { readonly noData: readonly ReleaseCheck[] };

/** Between two looks: a second, less where there is little time. */
const [LEAST_MS, MOST_MS, LOOKS] = [200, 1000, 30];
/** In a bake nobody serves beside it whom it could be compared with: what hangs then is found by asking. */
const SMOKE_EVERY_MS = 10_000;

/**
 * Green is said when its time is over, nothing was wrong, there were enough requests, or none were needed (a bake), or none had to
 * be (`noData: 'smoke'`), and the smoke checks of the new instances pass; in a bake they are asked every ten seconds, and two failures in
 * a row are red. Rejects with the reason of `signal` where it is aborted.
 */
export async function watchRelease(options: WatchOptions): Promise<WatchOutcome> {
  const { stage, switchover, clock, signal, onChecks } = options;
  const spec = gateSpec(options);
  // After the commit the service may be restarted and stopped on request: `untilFallen` knows that, a look does not.
  const observation = new Observation({ seesEnds: stage !== 'bake' });
  const kinds = new NewKinds(options.errors, options.since, options.refusedKinds);
  const looks: Look[] = [];
  const everyMs = Math.min(MOST_MS, Math.max(LEAST_MS, spec.forMs / LOOKS));
  const smoke = new BakeSmoke(options);
  using fall = new Fall(switchover, signal);
  for (;;) {
    signal.throwIfAborted();
    const lookedAt = clock.now();
    // Who has fallen may not answer, and is not waited for.
    const views = await Promise.race([switchover.look(), fall.happened]);
    if (views) looks.push(observation.look(views, kinds.look(views), clock.now()));
    const judgement = withFall(judge(looks, { spec, stage }), fall.text, stage);
    onChecks(judgement.checks);
    if (judgement.verdict === 'red') return { red: judgement.reasons };
    if (judgement.verdict === 'green' || judgement.verdict === 'no-data')
      return await conclude(judgement, options);
    const silent = await smoke.ask(clock.now());
    if (silent) return { red: silent };
    await Promise.race([waitUntil(clock, lookedAt + everyMs, signal), fall.happened]);
  }
}

function gateSpec({ spec, stage }: WatchOptions): GateSpec {
  if (stage === 'bake') return { ...spec, forMs: spec.bakeMs, noData: 'smoke' };
  if (!spec.canary) return spec;
  // Canary and verification together err as often as was asked for.
  const forMs = stage === 'canary' ? spec.canary.forMs : spec.forMs;
  return { ...spec, forMs, alpha: spec.alpha / 2 };
}

async function conclude(judgement: Judgement, options: WatchOptions): Promise<WatchOutcome> {
  const { spec, stage, switchover, onChecks } = options;
  const hasData = judgement.verdict === 'green' || stage === 'bake';
  if (!hasData && (spec.noData === 'hold' || spec.smoke.length === 0)) return { noData: judgement.reasons };
  const smoke = await askSmoke({ smoke: spec.smoke, stage, switchover });
  onChecks([...judgement.checks, ...smoke]);
  const red = smoke.filter(({ verdict }) => verdict === 'failed');
  return red.length > 0 ? { red } : 'green';
}

class BakeSmoke {
  readonly #options: WatchOptions;
  #nextAt = -Infinity;
  #hasFailed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Answers what failed now and the time before. */
  async ask(now: number): Promise<readonly ReleaseCheck[] | undefined> {
    const { spec, stage, switchover } = this.#options;
    if (stage !== 'bake' || now < this.#nextAt) return undefined;
    const isFirst = this.#nextAt === -Infinity; // it was asked a moment ago, before it served alone
    this.#nextAt = now + SMOKE_EVERY_MS;
    if (isFirst) return undefined;
    const checks = await askSmoke({ smoke: spec.smoke, stage, switchover });
    const failed = checks.filter(({ verdict }) => verdict === 'failed');
    const hadFailed = this.#hasFailed;
    this.#hasFailed = failed.length > 0;
    return hadFailed && this.#hasFailed ? failed : undefined;
  }
}

/** What has ended or become unhealthy is told at once, without a look that has to find it. */
class Fall implements Disposable {
  readonly happened: Promise<void>;
  readonly #over = new AbortController();
  text: string | undefined;

  constructor(switchover: Pick<Switchover, 'untilFallen'>, signal: AbortSignal) {
    this.happened = switchover
      .untilFallen(AbortSignal.any([signal, this.#over.signal]))
      .then((text) => void (this.text = text));
    // Who is told to stop waiting may say so by a rejection.
    this.happened.catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }
}

function withFall(judgement: Judgement, text: string | undefined, stage: ReleaseStage): Judgement {
  const isTold = judgement.reasons.some(({ name }) => name === 'restarts');
  if (text === undefined || isTold) return judgement;
  const check: ReleaseCheck = { stage, name: 'restarts', verdict: 'failed', text };
  return {
    verdict: 'red',
    reasons: [check, ...judgement.reasons],
    checks: [...judgement.checks.filter(({ name }) => name !== 'restarts'), check],
  };
}

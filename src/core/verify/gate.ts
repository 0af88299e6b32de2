/**
 * Decides after each look at old and new instances whether the new release is good, bad, or not yet known.
 *
 * ```
 *                              atMs: 0 ────────────────▶ forMs ────────────────▶ forMs + holdMs
 *  something is wrong                red                    red                    red
 *  too few requests                  continue               hold (or no-data)      no-data
 *  nothing is wrong                  continue               green                  green
 * ```
 *
 * What happened is red at once: an end, a restart, a new kind of error, a fifth of the requests failed. What is compared is red
 * where chance cannot explain it: there are LOOKS moments for that, fixed before, and each may err with its part of `alpha` only
 * (Bonferroni), so that looking often is no way to a false alarm. No data is never a pass.
 */
import type { ReleaseCheck, ReleaseStage, VerifySpec } from '../../protocol/index.js';
import { judgeErrorRate } from './error-rate.js';
import { judgeKinds, judgeMemory, judgeRestarts } from './events.js';
import { judgeLatency } from './latency.js';
import type { Look } from './look.js';
import { judgeRequests } from './requests.js';
import { summarize } from './summary.js';

export type GateSpec = Pick<
  VerifySpec,
  'forMs' | 'minRequests' | 'alpha' | 'errorRate' | 'latency' | 'newErrors' | 'memory' | 'noData' | 'holdMs'
>;

export interface GateOptions {
  readonly spec: GateSpec;
  readonly stage: ReleaseStage;
}

export type GateVerdict = 'continue' | 'green' | 'hold' | 'red' | 'no-data';

export interface Judgement {
  readonly verdict: GateVerdict;
  /** Why it is red, or that there is no data. */
  readonly reasons: readonly ReleaseCheck[];
  /** All that was looked at, with figures. */
  readonly checks: readonly ReleaseCheck[];
}

/** Within `forMs`, and as many again within `holdMs`. */
const LOOKS = 30;
/** Of how often requests fail, and how long they take. */
const COMPARISONS = 2;

/** `looks`: all there were, oldest first. */
export function judge(looks: readonly Look[], { spec, stage }: GateOptions): Judgement {
  const names = Object.keys(looks.at(-1)?.services ?? {});
  const context = {
    spec,
    isDue: isDue(looks, spec),
    alpha: spec.alpha / (comparisons(spec) * Math.max(1, names.length)),
  };
  const services = names.map((name) => summarize(name, looks));
  const isAnyCounted = services.some(({ isCounted }) => isCounted);
  const requests = services.map((service) => judgeRequests(service, spec, isAnyCounted));
  const checks = [
    ...requests.map(({ needed: _, ...finding }) => finding),
    ...services.flatMap((service) => [
      ...judgeErrorRate(service, context),
      ...judgeLatency(service, context),
      ...judgeMemory(service, spec),
      ...judgeRestarts(service),
      ...judgeKinds(service, spec),
    ]),
  ].map((finding): ReleaseCheck => ({ stage, ...finding }));
  const failed = checks.filter(({ verdict }) => verdict === 'failed');
  if (failed.length > 0) return { verdict: 'red', reasons: failed, checks };
  const atMs = looks.at(-1)?.atMs ?? 0;
  if (looks.length === 0 || atMs < spec.forMs) return { verdict: 'continue', reasons: [], checks };
  const isKnown = services.length > 0 && requests.every(({ needed }) => needed === 0);
  if (isKnown) return { verdict: 'green', reasons: [], checks };
  if (spec.noData === 'hold' && atMs < spec.forMs + spec.holdMs)
    return { verdict: 'hold', reasons: [], checks };
  return { verdict: 'no-data', reasons: checks.slice(0, requests.length).filter(isUnknown), checks };
}

function isUnknown({ verdict }: ReleaseCheck): boolean {
  return verdict === 'unknown';
}

/** How many comparisons there may be of one service, over all looks. */
function comparisons({ noData, holdMs }: GateSpec): number {
  return COMPARISONS * LOOKS * (noData === 'hold' && holdMs > 0 ? 2 : 1);
}

/** Whether the last look is one of those that compare: the first within each of LOOKS equal parts of the time. */
function isDue(looks: readonly Look[], { forMs, holdMs }: GateSpec): boolean {
  const part = ({ atMs }: Look): number => {
    const share = atMs < forMs ? atMs / forMs : 1 + (atMs - forMs) / Math.max(1, holdMs);
    return Math.floor(Math.min(2, share) * LOOKS);
  };
  const [last, before] = [looks.at(-1), looks.at(-2)];
  // The first one only says where counting begins.
  return last !== undefined && before !== undefined && part(last) > part(before);
}

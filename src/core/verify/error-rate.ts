/**
 * Decides whether new instances fail more often than the old ones do at the same time: answers of 500 and more, and requests that have had no
 * answer for five seconds. Of those it is known only by comparison that they are a fault: long polls have none for as long.
 */
import { chance, count, percent } from './figures.js';
import { fisher, type Tally } from './fisher.js';
import type { GateSpec } from './gate.js';
import { verdictOf, type Comparison, type Finding } from './rule.js';
import type { ServiceSummary, Side } from './summary.js';

/** What nobody has to compare: it is red at once. */
const STOP_ERRORS = 5;
const STOP_SHARE = 0.2;
/** Where the old ones fail nearly as often, it is not the release. */
const STOP_RATIO = 2;
/** However sure, fewer are no reason to send a release back. */
const LEAST_ERRORS = 3;
const LEAST_RATIO = 1.5;

export function judgeErrorRate(
  { service, old, new: young, isCounted }: ServiceSummary,
  { spec, alpha, isDue }: Comparison & { readonly spec: GateSpec },
): readonly Finding[] {
  if (spec.errorRate === 'ignore' || !isCounted) return [];
  const name = 'error rate';
  const bad = verdictOf(spec.errorRate);
  const isComparable = old.tally.total > 0;
  const tallies = (of: 'tally' | 'recent'): [Tally, Tally] =>
    isComparable ? [withUnanswered(young, of), withUnanswered(old, of)] : [young[of], old[of]];
  const [all, recent] = [tallies('tally'), tallies('recent')];
  const silent = isComparable && young.unanswered > 0 ? `; ${silence(young)}` : '';
  if (mustStop(...recent))
    return [{ name, verdict: bad, text: `${service}: ${tell(...recent)}, in the last 10 s${silent}` }];
  if (mustStop(...all)) return [{ name, verdict: bad, text: `${service}: ${tell(...all)}${silent}` }];
  if (all[0].total === 0)
    return [{ name, verdict: 'unknown', text: `${service}: no request to the new instances` }];
  const p = fisher(...all);
  const isWorse = isDue && p < alpha && isNotable(...all);
  const text = `${service}: ${tell(...all)}${sure(...all, p)}${silent}`;
  return [{ name, verdict: isWorse ? bad : 'passed', text }];
}

function withUnanswered(side: Side, of: 'tally' | 'recent'): Tally {
  const { failed, total } = side[of];
  return { failed: failed + side.unanswered, total: total + side.unanswered };
}

function silence({ unanswered }: Side): string {
  return `${count(unanswered)} of the new ones ${unanswered === 1 ? 'has' : 'have'} had no answer for 5 s`;
}

function mustStop(young: Tally, old: Tally): boolean {
  if (young.failed < STOP_ERRORS || share(young) <= STOP_SHARE) return false;
  return share(young) > STOP_RATIO * share(old);
}

function isNotable(young: Tally, old: Tally): boolean {
  return young.failed >= LEAST_ERRORS && share(young) > LEAST_RATIO * share(old);
}

function share({ failed, total }: Tally): number {
  return total === 0 ? 0 : failed / total;
}

function tell(young: Tally, old: Tally): string {
  const [news, olds] = [young, old].map(
    (tally) =>
      `${count(tally.failed)} of ${count(tally.total)}${tally.failed > 0 ? ` failed (${percent(share(tally))})` : ' failed'}`,
  );
  return `new ${news}, old ${olds!.replace(' failed', '')}`;
}

/** Without a single failure 3/n is all that is known: with so many requests, 95 of 100 times it would have shown. */
function sure(young: Tally, old: Tally, p: number): string {
  if (young.failed === 0) return `; at most ${percent(Math.min(1, 3 / young.total))} do (95 % sure)`;
  return old.total === 0 ? '; there is nothing to compare with' : `, ${chance(p)}`;
}

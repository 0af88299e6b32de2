/** Decides whether new instances are slower than the old ones at the same time, by the medians of each look. */
import { chance, took } from './figures.js';
import type { GateSpec } from './gate.js';
import { mannWhitney, median } from './mann-whitney.js';
import { verdictOf, type Comparison, type Finding } from './rule.js';
import type { ServiceSummary } from './summary.js';

/** Slower by more than this: what is certain may still be nothing that anybody minds. */
export const NOTABLE_RATIO = 1.25;
/** And by this: half a millisecond is no reason to send a release back. */
const NOTABLE_MS = 0.5;

export function judgeLatency(
  { service, old, new: young }: ServiceSummary,
  { spec, alpha, isDue }: Comparison & { readonly spec: GateSpec },
): readonly Finding[] {
  if (spec.latency === 'ignore') return [];
  const [now, before] = [median(young.medians), median(old.medians)];
  if (now === undefined || before === undefined) return [];
  const p = mannWhitney(young.medians, old.medians);
  const isNotable = now > NOTABLE_RATIO * before && now - before > NOTABLE_MS;
  const isSlower = isDue && p < alpha && isNotable;
  const change = before > 0 ? ` (x${(now / before).toFixed(now / before < 10 ? 2 : 0)})` : '';
  const text = `${service}: median ${took(now)} new, ${took(before)} old${change}, ${chance(p)}`;
  return [{ name: 'latency', verdict: isSlower ? verdictOf(spec.latency) : 'passed', text }];
}

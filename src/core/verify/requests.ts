/** Decides whether the new instances were asked often enough to judge by: no data is never a pass. */
import { count, many } from './figures.js';
import type { GateSpec } from './gate.js';
import type { Finding } from './rule.js';
import type { ServiceSummary } from './summary.js';

/** `needed`: how many more requests it takes. */
export function judgeRequests(
  { service, old, new: young, isCounted }: ServiceSummary,
  { minRequests }: GateSpec,
  isAnyCounted: boolean,
): Finding & { readonly needed: number } {
  const name = 'requests';
  if (!isCounted) {
    const text = `${service}: nothing counts its requests, so how often they fail is not known`;
    // Beside a service that is asked, a worker is judged by its ends, its memory and its errors.
    if (isAnyCounted) return { name, verdict: 'unknown', text, needed: 0 };
    const hint = 'add a smoke check (verify.smoke), and set noData: "smoke"';
    return { name, verdict: 'unknown', text, hint, needed: Math.max(1, minRequests) };
  }
  const { total } = young.tally;
  const needed = Math.max(0, Math.max(1, minRequests) - total);
  const told = `${many(total, 'request')} to the new instances, ${count(old.tally.total)} to the old ones`;
  if (needed === 0) return { name, verdict: 'passed', text: `${service}: ${told}`, needed };
  return {
    name,
    verdict: 'unknown',
    text: `${service}: ${told}; ${count(Math.max(1, minRequests))} are needed to judge`,
    hint: 'set verify.hold to wait longer, verify.minRequests lower, or noData: "smoke" to go by smoke checks',
    needed,
  };
}

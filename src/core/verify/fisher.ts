/** Decides how likely it is that the new side failed as often as it did by chance alone: Fisher's exact test, one-sided. */

export interface Tally {
  readonly failed: number;
  readonly total: number;
}

/**
 * The probability that of all these failures at least so many met `one`, were both sides the same. Small: `one` is worse.
 * Exact, so it holds for any number of requests; where nothing failed it is 1.
 */
export function fisher(one: Tally, other: Tally): number {
  const total = one.total + other.total;
  const failed = one.failed + other.failed;
  if (one.failed === 0 || total === 0) return 1;
  const law: Hypergeometric = { total, failed, drawn: one.total };
  // From the side where the terms fall, so that few of them are enough.
  if (one.failed > (failed * one.total) / total) return Math.min(1, upperTail(law, one.failed));
  return Math.max(0, 1 - lowerTail(law, one.failed - 1));
}

/** Of `total` requests `failed` did; `drawn` of them met one side. */
interface Hypergeometric {
  readonly total: number;
  readonly failed: number;
  readonly drawn: number;
}

const NEGLIGIBLE = 1e-17;

function upperTail(law: Hypergeometric, from: number): number {
  const { total, failed, drawn } = law;
  let term = probability(law, from);
  let sum = term;
  for (let hits = from; hits < Math.min(failed, drawn); hits++) {
    term *= ((failed - hits) * (drawn - hits)) / ((hits + 1) * (total - failed - drawn + hits + 1));
    sum += term;
    if (term < sum * NEGLIGIBLE) break;
  }
  return sum;
}

function lowerTail(law: Hypergeometric, from: number): number {
  const { total, failed, drawn } = law;
  const least = Math.max(0, drawn - (total - failed));
  if (from < least) return 0;
  let term = probability(law, from);
  let sum = term;
  for (let hits = from; hits > least; hits--) {
    term *= (hits * (total - failed - drawn + hits)) / ((failed - hits + 1) * (drawn - hits + 1));
    sum += term;
    if (term < sum * NEGLIGIBLE) break;
  }
  return sum;
}

function probability({ total, failed, drawn }: Hypergeometric, hits: number): number {
  return Math.exp(
    logChoose(failed, hits) + logChoose(total - failed, drawn - hits) - logChoose(total, drawn),
  );
}

function logChoose(from: number, many: number): number {
  return logFactorial(from) - logFactorial(many) - logFactorial(from - many);
}

/** Below this they are added up; from here on Stirling's series is exact to the last digit. */
const SMALL = 16;

function logFactorial(value: number): number {
  if (value < SMALL) {
    let sum = 0;
    for (let factor = 2; factor <= value; factor++) sum += Math.log(factor);
    return sum;
  }
  const series = 1 / (12 * value) - 1 / (360 * value ** 3) + 1 / (1260 * value ** 5);
  return value * Math.log(value) - value + Math.log(2 * Math.PI * value) / 2 + series;
}

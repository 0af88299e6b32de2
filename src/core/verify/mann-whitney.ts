/**
 * Decides how likely it is that the new side was slower by chance alone: Mann-Whitney's test of ranks, one-sided. Ranks, because
 * how long things take has a long tail, and one slow second must not outweigh sixty others.
 */

/**
 * The probability that values of `one` rank so high among those of `other`, were both from the same source. Small: `one` is
 * higher. By the normal approximation, whose tail is the heavier one, so it errs on the side of no alarm.
 */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  if (one.length === 0 || other.length === 0) return 1;
  const { rankSum, tieTerm } = rank(one, other);
  const [n, m] = [one.length, other.length];
  const all = n + m;
  const wins = rankSum - (n * (n + 1)) / 2;
  const variance = ((n * m) / 12) * (all + 1 - tieTerm / (all * (all - 1)));
  if (!(variance > 0)) return 1; // all of them are the same
  return upperTail((wins - (n * m) / 2 - 0.5) / Math.sqrt(variance));
}

/** Sum of the ranks of `one`; equal values share theirs, which takes from the variance. */
function rank(
  one: readonly number[],
  other: readonly number[],
): { readonly rankSum: number; readonly tieTerm: number } {
  const [ones, others] = [Float64Array.from(one).sort(), Float64Array.from(other).sort()];
  let [rankSum, tieTerm] = [0, 0];
  for (let [i, j] = [0, 0]; i < ones.length;) {
    const value = Math.min(ones[i]!, others[j] ?? Infinity);
    const [fromOnes, from] = [i, i + j];
    while (ones[i] === value) i++;
    while (others[j] === value) j++;
    const same = i + j - from;
    tieTerm += same ** 3 - same;
    rankSum += (i - fromOnes) * (from + (same + 1) / 2);
  }
  return { rankSum, tieTerm: tieTerm + tiesOf(others, ones.at(-1)!) };
}

/** Among those above all of the other side, which have no part in its ranks. */
function tiesOf(sorted: Float64Array, above: number): number {
  let [sum, same] = [0, 0];
  for (let index = 0; index <= sorted.length; index++) {
    const value = sorted[index];
    if (value !== undefined && value <= above) continue;
    if (index > 0 && value === sorted[index - 1]) same++;
    else {
      sum += same ** 3 - same;
      same = 1;
    }
  }
  return sum;
}

/** Of the standard normal distribution; good to 1e-7 of the value also far out (Numerical Recipes, erfc by Chebyshev). */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const polynomial = terms.reduceRight((sum, term) => sum * t + term, 0);
  const tail = (t * Math.exp(-x * x + polynomial)) / 2;
  return z >= 0 ? tail : 1 - tail;
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

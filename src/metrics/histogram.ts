/** How long things took, as counts by half octaves from 64 µs on: what src/preload/metrics.ts counts. Pure. */
export const BUCKETS = 41;
const FIRST_MS = 0.064;

/** Milliseconds; what is counted at `index` took at least as long as this, and less than that of the next one. */
export function lowerBound(index: number): number {
  if (index === 0) return 0;
  const octave = (index - 1) >> 1;
  return FIRST_MS * 2 ** octave * ((index - 1) & 1 ? 1.5 : 1);
}

export interface Quantile {
  /** Milliseconds, interpolated between the bounds. */
  readonly value: number;
  /** Of its bucket: the true one is not below `from`, and below `to`. */
  readonly from: number;
  readonly to: number;
}

/** Milliseconds, between the bounds of its bucket; null: nothing was counted. */
export function quantile(counts: readonly number[], share: number): number | null {
  return findQuantile(counts, share)?.value ?? null;
}

/** undefined: nothing was counted. */
export function findQuantile(counts: readonly number[], share: number): Quantile | undefined {
  const rank = share * counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && before + count >= rank) {
      const [from, to] = [lowerBound(index), lowerBound(index + 1)];
      return { value: from + (to - from) * Math.max(0, (rank - before) / count), from, to };
    }
    before += count;
  }
  return undefined;
}

/** The upper bound of the highest bucket that has any; null: none has. */
export function highest(counts: readonly number[]): number | null {
  const index = counts.findLastIndex((count) => count > 0);
  return index < 0 ? null : lowerBound(index + 1);
}

export function add(a: readonly number[], b: readonly number[]): number[] {
  return tally((index) => (a[index] ?? 0) + (b[index] ?? 0));
}

/** What came since; a count never falls, unless an application makes it up. */
export function since(now: readonly number[], before: readonly number[]): number[] {
  return tally((index) => Math.max(0, (now[index] ?? 0) - (before[index] ?? 0)));
}

/** One count for each bucket. Hundreds of services are added up at once: `Array.from` takes several times as long. */
export function tally(count: (index: number) => number): number[] {
  const counts: number[] = [];
  for (let index = 0; index < BUCKETS; index++) counts.push(count(index));
  return counts;
}

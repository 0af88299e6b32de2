/**
 * The slope of what rises and falls all the time (Theil and Sen: the median of the slopes between all pairs), with the
 * interval in which it lies with 95 %. Neighbouring samples of a heap know of each other, so that blocks are compared: the
 * median of each.
 */
const BLOCKS = 24;
/** Of the normal distribution: 95 % lie within so many standard deviations. */
const Z = 1.96;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Of y, over one of x. */
export interface Slope {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

export function findSlope(points: readonly Point[]): Slope {
  const blocks = toBlocks(points);
  const slopes = blocks
    .flatMap((one, index) => blocks.slice(index + 1).map((other) => (other.y - one.y) / (other.x - one.x)))
    .sort((a, b) => a - b);
  // Kendall's statistic of n points without a slope has this deviation.
  const n = blocks.length;
  const deviation = Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (rank: number): number =>
    slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  return {
    middle: median(slopes),
    low: at((slopes.length - deviation) / 2),
    high: at((slopes.length + deviation) / 2),
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function toBlocks(points: readonly Point[]): Point[] {
  const size = Math.max(1, Math.floor(points.length / BLOCKS));
  const count = Math.floor(points.length / size);
  return Array.from({ length: count }, (_, index) => {
    const block = points.slice(index * size, (index + 1) * size);
    return { x: median(block.map(({ x }) => x)), y: median(block.map(({ y }) => y)) };
  });
}

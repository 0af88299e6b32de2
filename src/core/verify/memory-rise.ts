/**
 * Decides within seconds whether a new instance eats up the memory: core/memory-growth.ts takes its time to find slow leaks, this
 * finds those that would end the host before the release is over.
 *
 * ```
 *  rss │            ╱  ← higher than any old one ever was, by half and MARGIN
 *      │         ╱  │
 *      │      ╱     │    and all the way here without a fall: a garbage collection that frees
 *      │   ╱        │    something begins the stretch anew
 *      │ ╱ FIRST_MS │    and no slower at its end than half of its pace before: a warm-up slows down
 * ```
 */

export interface MemoryPoint {
  readonly atMs: number;
  readonly bytes: number;
}

export interface MemoryRise {
  readonly fromBytes: number;
  readonly toBytes: number;
  readonly overMs: number;
}

const MiB = 1024 ** 2;
/** A stretch shorter than this says nothing. */
const LEAST_MS = 4000;
const LEAST_POINTS = 5;
/** Beyond the highest that any old one was: half as much again, and this. */
const SHARE = 1.5;
const MARGIN = 128 * MiB;
/** Without old ones to compare with. */
const ALONE_SHARE = 4;
/** A fall by this much, and this part of the rise, begins anew: pages come and go by themselves. */
const FALL_BYTES = 8 * MiB;
const FALL_SHARE = 0.3;
/** Of the stretch, from its end: a leak may begin late. */
const WINDOWS_MS = [5000, 10_000, 20_000, 60_000] as const;
const LATE_PACE = 0.5;

/** `old`: what the old instances were in the same time, one list each. */
export function findMemoryRise(
  points: readonly MemoryPoint[],
  old: readonly (readonly MemoryPoint[])[],
): MemoryRise | undefined {
  const stretch = lastStretch(points);
  const end = stretch.at(-1);
  if (!end || end.bytes < ceiling(points[0]!, old)) return undefined;
  for (const windowMs of WINDOWS_MS) {
    const window = stretch.filter(({ atMs }) => atMs >= end.atMs - windowMs);
    const rise = window.length >= LEAST_POINTS ? riseOf(window) : undefined;
    if (!rise || rise.overMs < LEAST_MS || !isSteady(window)) continue;
    // All of them grow so fast: it is the load, or the old release leaks as well.
    const pace = (rise.toBytes - rise.fromBytes) / rise.overMs;
    if (!old.some((each) => paceOf(each, window[0]!.atMs) > pace / 2)) return rise;
  }
  return undefined;
}

/** The latest points among which it did not fall as after a garbage collection. */
function lastStretch(points: readonly MemoryPoint[]): readonly MemoryPoint[] {
  let from = 0;
  let highest = 0;
  for (const [index, { bytes }] of points.entries()) {
    const lowest = points[from]!.bytes;
    const hasFallen = highest - bytes > Math.max(FALL_BYTES, FALL_SHARE * (highest - lowest));
    if (bytes <= lowest || hasFallen) [from, highest] = [index, bytes];
    highest = Math.max(highest, bytes);
  }
  return points.slice(from);
}

function riseOf(window: readonly MemoryPoint[]): MemoryRise {
  const [first, last] = [window[0], window.at(-1)];
  if (!first || !last) return { fromBytes: 0, toBytes: 0, overMs: 0 };
  return { fromBytes: first.bytes, toBytes: last.bytes, overMs: last.atMs - first.atMs };
}

function ceiling(first: MemoryPoint, old: readonly (readonly MemoryPoint[])[]): number {
  const highest = Math.max(0, ...old.flatMap((each) => each.map(({ bytes }) => bytes)));
  return (highest > 0 ? SHARE * highest : ALONE_SHARE * first.bytes) + MARGIN;
}

/** Each third of the time has risen, the last of them nearly as fast as the first. */
function isSteady(stretch: readonly MemoryPoint[]): boolean {
  const [startMs, endMs] = [stretch[0]!.atMs, stretch.at(-1)!.atMs];
  const borders = [0, 1, 2, 3].map((third) => levelAt(stretch, startMs + (third / 3) * (endMs - startMs)));
  const rises = [1, 2, 3].map((third) => borders[third]! - borders[third - 1]!);
  return rises.every((rise) => rise > 0) && rises[2]! >= LATE_PACE * rises[0]!;
}

function levelAt(points: readonly MemoryPoint[], atMs: number): number {
  const after = points.findIndex((point) => point.atMs >= atMs);
  const [left, right] = [points[Math.max(0, after - 1)]!, points[after]!];
  if (right.atMs === left.atMs) return right.bytes;
  return left.bytes + ((right.bytes - left.bytes) * (atMs - left.atMs)) / (right.atMs - left.atMs);
}

function paceOf(points: readonly MemoryPoint[], sinceMs: number): number {
  const { fromBytes, toBytes, overMs } = riseOf(points.filter(({ atMs }) => atMs >= sinceMs));
  return overMs > 0 ? (toBytes - fromBytes) / overMs : 0;
}

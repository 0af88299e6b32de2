/**
 * Decides from the memory of a service whether it grows without an end. What is looked at are floors: the lowest value of each CELL_MS,
 * which no garbage collection that runs now and then disturbs. They count from WARM_UP_MS after the last start in the service.
 *
 * It grows where, in one of WINDOWS, the median slope (Theil-Sen) says so and nothing else explains it: each third of the window
 * grows by itself (one step does not), the second half nearly as fast as the first (what fills a cache does not), what is left beside
 * the line is small (a sawtooth's is not), and the level is one that was never reached before. A pace is believed for
 * BELIEF times as long as it was seen: it is told when there is no room for so long.
 */

export const CELL_MS = 2 * 60_000;
export const WARM_UP_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;

/** In cells: half an hour, an hour and a half, six hours. */
const WINDOWS = [15, 45, 180] as const;
const SHORTEST = WINDOWS[0];
const LONGEST = WINDOWS[2];
const BELIEF = 10;
/** In a window. */
const LEAST_BYTES = 8 * 1024 ** 2;
/** Of the level, in a window. */
const LEAST_SHARE = 0.05;
/** What is beside the line, of what it grew. */
const MOST_NOISE = 0.25;
/** Of the second half, of that of the first. */
const LATE_PACE = 0.8;
/** Floors that are compared with each other: more of them say the same. */
const COMPARED = 30;

/** What is known of one life of a service: from one start in it to the next. */
export interface MemoryTrack {
  /** Wall clock, milliseconds: the last start; with how many instances. */
  readonly startedAt: number;
  readonly instances: number;
  /** Oldest first, one for each CELL_MS, of the last six hours. */
  readonly floors: readonly number[];
  /** The highest of those that are not kept any more. */
  readonly highestBefore: number;
  /** The present cell. */
  readonly open: { readonly index: number; readonly floor: number } | null;
}

export interface MemoryReading {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly startedAt: number;
  readonly instances: number;
  readonly rssBytes: number;
}

export interface MemoryGrowth {
  readonly bytesPerHour: number;
  /** How long it was looked at. */
  readonly seenMs: number;
  /** Until there is no room; 0: by now. */
  readonly lastsMs: number;
}

/** Answers whether a cell has just been filled: then it is time to judge. */
export function noteMemory(
  track: MemoryTrack | undefined,
  reading: MemoryReading,
): { readonly track: MemoryTrack; readonly isFilled: boolean } {
  const { at, startedAt, instances, rssBytes } = reading;
  const isSame = track?.startedAt === startedAt && track.instances === instances;
  const known = isSame ? track : begin(startedAt, instances);
  if (at - startedAt < WARM_UP_MS) return { track: known, isFilled: false };
  const index = Math.floor(at / CELL_MS);
  const { open } = known;
  if (open?.index === index)
    return { track: { ...known, open: { index, floor: Math.min(open.floor, rssBytes) } }, isFilled: false };
  const fresh = { index, floor: rssBytes };
  if (!open) return { track: { ...known, open: fresh }, isFilled: false };
  // A clock that was set, a machine that slept: cells would not follow each other.
  if (index !== open.index + 1)
    return { track: { ...begin(startedAt, instances), open: fresh }, isFilled: false };
  const floors = [...known.floors, open.floor];
  const [gone = 0] = floors.splice(0, Math.max(0, floors.length - LONGEST));
  const highestBefore = Math.max(known.highestBefore, gone);
  return { track: { ...known, floors, highestBefore, open: fresh }, isFilled: true };
}

function begin(startedAt: number, instances: number): MemoryTrack {
  return { startedAt, instances, floors: [], highestBefore: 0, open: null };
}

/** `roomBytes`: how much more there may be. undefined: it does not grow, or nobody can know yet. */
export function judgeMemory(
  { floors, highestBefore }: MemoryTrack,
  roomBytes: number,
): MemoryGrowth | undefined {
  for (const length of WINDOWS) {
    if (floors.length < length) return undefined;
    const window = floors.slice(-length);
    if (!isHigher(window, Math.max(highestBefore, ...floors.slice(0, -length)))) continue;
    const slope = slopeOf(window);
    if (!isGrowth(window, slope)) continue;
    const lastsMs = Math.max(0, roomBytes / slope) * CELL_MS;
    if (lastsMs > BELIEF * length * CELL_MS) continue;
    return { bytesPerHour: perHour(slope), seenMs: length * CELL_MS, lastsMs };
  }
  return undefined;
}

/** Whether there is enough to judge by. */
export function isLongEnough({ floors }: MemoryTrack): boolean {
  return floors.length >= SHORTEST;
}

/** Whether what grew has all but stopped: less than a quarter of the pace that was told. Until that is known, it goes on. */
export function hasStopped({ floors }: MemoryTrack, bytesPerHour: number): boolean {
  return floors.length >= SHORTEST && perHour(slopeOf(floors.slice(-SHORTEST))) < bytesPerHour / 4;
}

/** Than at its beginning, and than ever before; cheap, because it is all that is asked about most services. */
function isHigher(window: readonly number[], before: number): boolean {
  const third = window.length / 3;
  const [first, last] = [median(window.slice(0, third)), median(window.slice(-third))];
  return last > before && (last - first) * 1.5 > Math.max(LEAST_BYTES, LEAST_SHARE * first);
}

function isGrowth(window: readonly number[], slope: number): boolean {
  if (slope <= 0) return false;
  if (parts(window, 3).some((part) => slopeOf(part) < slope / 3)) return false;
  const [early, late] = parts(window, 2).map(slopeOf);
  if (late! < LATE_PACE * early!) return false;
  const beside = window.map((floor, index) => floor - slope * index).sort((a, b) => a - b);
  const noise = beside[Math.floor(beside.length * 0.95)]! - beside[Math.floor(beside.length * 0.05)]!;
  return noise <= MOST_NOISE * slope * (window.length - 1);
}

function parts(window: readonly number[], count: number): (readonly number[])[] {
  const length = Math.floor(window.length / count);
  return Array.from({ length: count }, (_, index) => window.slice(index * length, (index + 1) * length));
}

/** Theil-Sen: the median of the slopes of all pairs. */
function slopeOf(floors: readonly number[]): number {
  const step = Math.ceil(floors.length / COMPARED);
  const slopes: number[] = [];
  for (let to = floors.length - 1; to > 0; to -= step)
    for (let from = to - step; from >= 0; from -= step)
      slopes.push((floors[to]! - floors[from]!) / (to - from));
  return median(slopes);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function perHour(slope: number): number {
  return (slope * HOUR_MS) / CELL_MS;
}

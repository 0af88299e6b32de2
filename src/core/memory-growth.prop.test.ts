import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  hasStopped,
  judgeMemory,
  noteMemory,
  WARM_UP_MS,
  type MemoryGrowth,
  type MemoryTrack,
} from './memory-growth.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STARTED = Date.parse('2026-01-01T00:00:00Z');
const EVERY_MS = 20_000;

/** Memory as a function of the time since the start, milliseconds. */
type Curve = (ms: number) => number;

const seed = fc.integer({ min: 1, max: 2 ** 31 });
const level = fc.integer({ min: 40, max: 2000 }).map((mib) => mib * MiB);
const large = fc.integer({ min: 100, max: 2000 }).map((mib) => mib * MiB);
const share = fc.double({ min: 0, max: 1, noNaN: true });

test('a leak is told before the memory is at an end, and what it says is right', () => {
  fc.assert(
    fc.property(seed, large, fc.integer({ min: 2, max: 30 }), share, (its, base, hours, phase) => {
      // At its end after so many hours, with a garbage collection that takes a tenth of the level every ninety seconds.
      const limit = base * 2;
      const pace = base / (hours * HOUR);
      const noise = noiseOf(its, 0.01 * base);
      const tooth = sawtooth(90_000, 0.1 * base, phase);
      const told = watch((ms) => base + pace * ms + tooth(ms) + noise(), hours * HOUR, limit);
      assert.ok(told, 'never told');
      const lastsMs = (limit - base) / pace - told.after;
      assert.ok(told.after <= WARM_UP_MS + 8 * HOUR, `only after ${told.after / HOUR} h`);
      assert.ok(near(told.growth.bytesPerHour, pace * HOUR, 0.5), `${told.growth.bytesPerHour} B/h`);
      assert.ok(near(told.growth.lastsMs, lastsMs, 0.6), `${told.growth.lastsMs / HOUR} h`);
    }),
    { numRuns: 30 },
  );
});

test('memory that stays, with noise of any size, is not told', () => {
  never(fc.tuple(seed, level, share), ([its, base, size]) => {
    const noise = noiseOf(its, size * base);
    return () => base + noise();
  });
});

test('the sawtooth of a garbage collection is not told, whatever its period and height', () => {
  const period = fc.integer({ min: 20, max: 20 * 60 }).map((seconds) => seconds * 1000);
  never(fc.tuple(seed, level, period, share, share), ([its, base, periodMs, height, phase]) => {
    const noise = noiseOf(its, 0.01 * base);
    const tooth = sawtooth(periodMs, height * base, phase);
    return (ms) => base + tooth(ms) + noise();
  });
});

test('one step, wherever it is, is not told', () => {
  never(fc.tuple(seed, level, share, share), ([its, base, height, when]) => {
    const noise = noiseOf(its, 0.02 * base);
    return (ms) => base + (ms > when * 8 * HOUR ? height * base : 0) + noise();
  });
});

test('a warm-up that ends within some minutes is not told', () => {
  const tau = fc.integer({ min: 1, max: 15 }).map((minutes) => minutes * MINUTE);
  never(fc.tuple(seed, level, tau), ([its, base, tauMs]) => {
    const noise = noiseOf(its, 0.01 * base);
    return (ms) => base * (2 - Math.exp(-ms / tauMs)) + noise();
  });
});

test('what rises and falls with the day is not told on the second day', () => {
  fc.assert(
    fc.property(seed, level, share, (its, base, phase) => {
      const noise = noiseOf(its, 0.02 * base);
      const day = 24 * HOUR;
      const curve: Curve = (ms) => base * (1.3 + 0.3 * Math.sin(2 * Math.PI * (ms / day + phase))) + noise();
      assert.equal(watch(curve, 2 * day, 3 * base, day), undefined);
    }),
    { numRuns: 8 },
  );
});

test('a slow leak is told only when it comes near, a service that ends in between begins anew', () => {
  const slow: Curve = (ms) => 200 * MiB + (ms / HOUR) * MiB;
  assert.equal(watch(slow, 10 * HOUR, 16 * GiB), undefined);
  let track: MemoryTrack | undefined;
  for (let at = 0; at < 20 * HOUR; at += EVERY_MS) {
    const startedAt = STARTED + Math.floor(at / (30 * MINUTE)) * 30 * MINUTE;
    const { track: next, isFilled } = noteMemory(track, reading(STARTED + at, 1e8 + at, { startedAt }));
    track = next;
    if (isFilled) assert.equal(judgeMemory(track, 1), undefined);
  }
});

test('it is over when it grows no more, and not before that is known', () => {
  const pace = 100 * MiB;
  const flat: Curve = (ms) => 200 * MiB + (Math.min(ms, 2 * HOUR) / HOUR) * pace;
  let track: MemoryTrack | undefined;
  let endedAt: number | undefined;
  for (let at = 0; at < 4 * HOUR; at += EVERY_MS) {
    track = noteMemory(track, reading(STARTED + at, flat(at))).track;
    if (at > HOUR && hasStopped(track, pace)) endedAt ??= at;
  }
  assert.ok(endedAt! > 2 * HOUR && endedAt! < 2.5 * HOUR, String(endedAt! / HOUR));
});

test('a clock that was set leaves no gap that looks like growth', () => {
  let track: MemoryTrack | undefined;
  for (let at = 0; at < HOUR; at += EVERY_MS) track = noteMemory(track, reading(STARTED + at, 1e8)).track;
  assert.ok(track!.floors.length > 20);
  assert.equal(noteMemory(track, reading(STARTED + 9 * HOUR, 1e8)).track.floors.length, 0);
});

/** In eight hours, with a limit that the highest value comes close to. */
function never<T>(inputs: fc.Arbitrary<T>, curveOf: (input: T) => Curve): void {
  fc.assert(
    fc.property(inputs, (input) => {
      const curve = curveOf(input);
      const highest = Math.max(...Array.from({ length: 500 }, (_, index) => curve((index / 500) * 8 * HOUR)));
      assert.equal(watch(curveOf(input), 8 * HOUR, 1.1 * highest), undefined);
    }),
    { numRuns: 30 },
  );
}

/** What is told first; `fromMs`: earlier is passed over. */
function watch(
  curve: Curve,
  forMs: number,
  limit: number,
  fromMs = 0,
): { after: number; growth: MemoryGrowth } | undefined {
  let track: MemoryTrack | undefined;
  for (let after = 0; after < forMs; after += EVERY_MS) {
    const rssBytes = curve(after);
    const { track: next, isFilled } = noteMemory(track, reading(STARTED + after, rssBytes));
    track = next;
    const growth = isFilled && after >= fromMs ? judgeMemory(track, limit - rssBytes) : undefined;
    if (growth) return { after, growth };
  }
  return undefined;
}

function reading(
  at: number,
  rssBytes: number,
  { startedAt = STARTED } = {},
): Parameters<typeof noteMemory>[1] {
  return { at, startedAt, instances: 1, rssBytes };
}

function sawtooth(periodMs: number, height: number, phase: number): Curve {
  return (ms) => height * ((ms / periodMs + phase) % 1);
}

/** Between -size and size; the same for the same seed. */
function noiseOf(its: number, size: number): () => number {
  let state = its;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return size * (2 * (state / 2 ** 32) - 1);
  };
}

function near(value: number, wanted: number, tolerance: number): boolean {
  return Math.abs(value - wanted) <= tolerance * wanted;
}

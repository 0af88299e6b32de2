import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findMemoryRise, type MemoryPoint } from './memory-rise.js';
import { randomOf } from './simulated-traffic.js';

const MiB = 1024 ** 2;
const level = fc.integer({ min: 40, max: 1500 }).map((mib) => mib * MiB);
const seed = fc.nat(2 ** 31);

/** A point a second; answers after how many seconds it was told, or undefined. */
function watch(
  curve: (ms: number) => number,
  old: readonly ((ms: number) => number)[],
  seconds = 120,
): number | undefined {
  const points = (of: (ms: number) => number, until: number): MemoryPoint[] =>
    Array.from({ length: until + 1 }, (_, at) => ({ atMs: at * 1000, bytes: of(at * 1000) }));
  for (let second = 1; second <= seconds; second++)
    if (
      findMemoryRise(
        points(curve, second),
        old.map((each) => points(each, second)),
      )
    )
      return second;
  return undefined;
}

function noise(its: number, size: number): (ms: number) => number {
  const random = randomOf(its);
  const known = new Map<number, number>();
  return (ms) => {
    if (!known.has(ms)) known.set(ms, (random() - 0.5) * size);
    return known.get(ms)!;
  };
}

test('a leak of 50 MB/s is told within seconds of passing what old ones need', () => {
  fc.assert(
    fc.property(seed, level, fc.integer({ min: 0, max: 40 }), (its, base, late) => {
      const [pages, freed] = [noise(its, 4 * MiB), noise(its + 1, 12 * MiB)];
      const pace = (50 * MiB) / 1000;
      const leak = (ms: number): number =>
        base + Math.max(0, ms - late * 1000) * pace + (ms > late * 1000 ? freed(ms) : 0) + pages(ms);
      const told = watch(leak, [(ms) => base + pages(ms)]);
      const passes = late + (0.5 * base + 140 * MiB) / (50 * MiB);
      assert.ok(told !== undefined && told <= passes + 5, `after ${told} s, passes at ${passes} s`);
    }),
    { numRuns: 200 },
  );
});

test('the sawtooth of a garbage collection is not told, whatever its period and height, also half as high again', () => {
  const shape = fc.record({
    its: seed,
    base: level,
    periodMs: fc.integer({ min: 2, max: 60 }).map((seconds) => seconds * 1000),
    height: fc.double({ min: 0, max: 3, noNaN: true }),
    more: fc.double({ min: 1, max: 1.5, noNaN: true }),
  });
  fc.assert(
    fc.property(shape, ({ its, base, periodMs, height, more }) => {
      const pages = noise(its, 4 * MiB);
      const tooth = (ms: number): number => ((ms % periodMs) / periodMs) * height * base;
      const old = (ms: number): number => base + tooth(ms + 700) + pages(ms);
      // What the old one was at its highest has been seen within a period; before, all of it is beside it.
      const known = (ms: number): number => Math.max(old(ms), ms < periodMs ? base * (1 + height) : 0);
      assert.equal(
        watch((ms) => (base + tooth(ms)) * more + pages(ms), [known]),
        undefined,
      );
    }),
    { numRuns: 300 },
  );
});

test('a warm-up to half as much again as old ones need is not told', () => {
  fc.assert(
    fc.property(seed, level, fc.integer({ min: 1, max: 30 }), (its, base, tau) => {
      const pages = noise(its, 4 * MiB);
      const warm = (ms: number): number =>
        base * (0.4 + 1.1 * (1 - Math.exp(-ms / (tau * 1000)))) + pages(ms);
      assert.equal(watch(warm, [() => base]), undefined);
    }),
    { numRuns: 200 },
  );
});

test('what old ones do as well is not the fault of the release', () => {
  const pace = (50 * MiB) / 1000;
  const grows = (ms: number): number => 100 * MiB + ms * pace;
  assert.equal(watch(grows, [(ms) => 90 * MiB + ms * pace * 0.7]), undefined);
  assert.ok(watch(grows, [(ms) => 90 * MiB + ms * pace * 0.1]) !== undefined);
});

test('without old ones a leak is told all the same, later', () => {
  const told = watch((ms) => 60 * MiB + ms * ((50 * MiB) / 1000), []);
  assert.ok(told !== undefined && told <= 12, `${told}`);
});

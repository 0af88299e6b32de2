import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NOTABLE_RATIO } from './latency.js';
import { mannWhitney, median } from './mann-whitney.js';
import { duration, randomOf } from './simulated-traffic.js';

const values = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });

test('only the order of values matters', () => {
  fc.assert(
    fc.property(values, values, (one, other) => {
      const scaled = (value: number): number => Math.exp(value / 3);
      assert.equal(mannWhitney(one.map(scaled), other.map(scaled)), mannWhitney(one, other));
    }),
  );
});

test('a value that is higher never makes it likelier that all is well', () => {
  // All of them differ: ties change the variance.
  const different = fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(different, fc.nat(58), fc.nat(58), (all, split, which) => {
      const length = 1 + (split % (all.length - 1));
      const [one, other] = [all.slice(0, length), all.slice(length)];
      const higher = one.map((value, at) => (at === which % length ? value + 20.5 : value));
      assert.ok(mannWhitney(higher, other) <= mannWhitney(one, other));
    }),
    { numRuns: 1000 },
  );
});

test('it knows what textbooks know', () => {
  const [low, high] = [
    Array.from({ length: 12 }, (_, at) => at),
    Array.from({ length: 12 }, (_, at) => at + 20),
  ];
  assert.ok(mannWhitney(high, low) < 3e-5);
  assert.ok(mannWhitney(low, high) > 0.99);
  assert.equal(mannWhitney([1, 1, 1], [1, 1]), 1);
  assert.equal(mannWhitney([], [1]), 1);
  assert.ok(Math.abs(mannWhitney([1, 4, 6], [2, 3, 5]) - 0.5) < 0.15);
});

// As in shared/research: 10 times as many old ones, alpha 0.01, log-normal with sigma 0.6, and slower by more than 25 %.
test('it sees what it should, as often as was measured before', () => {
  for (const [ratio, n, least, most] of [
    [1, 50, 0, 0.015],
    [1.5, 20, 0.5, 0.8],
    [1.5, 50, 0.9, 1],
    [1.2, 100, 0, 0.6],
    [3, 20, 0.99, 1],
  ] as const) {
    const random = randomOf(n * 1000 + ratio * 10);
    const RUNS = 300;
    let alarms = 0;
    for (let run = 0; run < RUNS; run++) {
      const one = Array.from({ length: n }, () => duration(random, 10 * ratio, 0.6));
      const other = Array.from({ length: 10 * n }, () => duration(random, 10, 0.6));
      if (mannWhitney(one, other) < 0.01 && median(one)! > NOTABLE_RATIO * median(other)!) alarms++;
    }
    const seen = alarms / RUNS;
    assert.ok(seen >= least && seen <= most, `x${ratio} at ${n}: ${seen}`);
  }
});

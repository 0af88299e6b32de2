import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fisher, type Tally } from './fisher.js';
import { failures, randomOf } from './simulated-traffic.js';

const tally = fc.tuple(fc.nat(60), fc.nat(60)).map(([failed, fine]) => ({ failed, total: failed + fine }));

test('it is what adding up all possible tables gives, with whole numbers', () => {
  fc.assert(
    fc.property(tally, tally, (one, other) => {
      const expected = exactly(one, other);
      assert.ok(Math.abs(fisher(one, other) - expected) <= 1e-9 * Math.max(expected, 1e-3), `${expected}`);
    }),
    { numRuns: 2000 },
  );
});

test('one failure more never makes it likelier that all is well', () => {
  fc.assert(
    fc.property(tally, tally, (one, other) => {
      fc.pre(one.failed < one.total);
      const worse = fisher({ failed: one.failed + 1, total: one.total }, other);
      assert.ok(worse <= fisher(one, other) + 1e-12);
    }),
  );
});

test('figures of millions are no trouble', () => {
  assert.equal(fisher({ failed: 0, total: 5_000_000 }, { failed: 0, total: 50_000_000 }), 1);
  const same = fisher({ failed: 5000, total: 1_000_000 }, { failed: 50_000, total: 10_000_000 });
  assert.ok(same > 0.4 && same < 0.6, `${same}`);
  const worse = fisher({ failed: 6000, total: 1_000_000 }, { failed: 50_000, total: 10_000_000 });
  assert.ok(worse < 1e-30, `${worse}`);
  assert.ok(fisher({ failed: 12, total: 240 }, { failed: 1, total: 2400 }) < 1e-9);
});

// shared/research measured these with another program: 10 times as many old requests, alpha 0.01, 0.5 % of them fail.
const POWER: readonly (readonly [newShare: number, n: number, alarms: number])[] = [
  [0.005, 20, 0.005],
  [0.005, 500, 0.005],
  [0.02, 50, 0.07],
  [0.02, 100, 0.14],
  [0.02, 200, 0.34],
  [0.02, 500, 0.73],
  [0.05, 20, 0.15],
  [0.05, 50, 0.35],
  [0.05, 100, 0.73],
  [0.05, 200, 0.96],
  [0.3, 20, 0.98],
  [0.3, 50, 1],
];

test('it sees what it should, as often as was measured before', () => {
  const RUNS = 600;
  for (const [share, n, expected] of POWER) {
    const random = randomOf(n + share * 1e6);
    let alarms = 0;
    for (let run = 0; run < RUNS; run++) {
      const one = { failed: failures(random, n, share), total: n };
      const other = { failed: failures(random, 10 * n, 0.005), total: 10 * n };
      if (fisher(one, other) < 0.01) alarms++;
    }
    const seen = alarms / RUNS;
    assert.ok(Math.abs(seen - expected) < 0.08, `${share} at ${n}: ${seen}, not ${expected}`);
    if (share === 0.005) assert.ok(seen <= 0.015, `${seen} false alarms`);
  }
});

function exactly(one: Tally, other: Tally): number {
  const [total, failed] = [one.total + other.total, one.failed + other.failed];
  let sum = 0n;
  for (let hits = one.failed; hits <= Math.min(failed, one.total); hits++)
    sum += choose(failed, hits) * choose(total - failed, one.total - hits);
  return Number((sum * 10n ** 18n) / choose(total, one.total)) / 1e18;
}

function choose(from: number, many: number): bigint {
  if (many < 0 || many > from) return 0n;
  let result = 1n;
  for (let factor = 1; factor <= many; factor++)
    result = (result * BigInt(from - many + factor)) / BigInt(factor);
  return result;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budget } from './budget.js';

test('a budget that is used up comes back piece by piece, and never grows beyond its size', () => {
  let now = 0;
  const budget = new Budget(3, 1000, () => now);
  const takes = (): number => [1, 2, 3, 4, 5].filter(() => budget.take()).length;
  assert.equal(takes(), 3);
  now += 999;
  assert.equal(takes(), 0);
  now += 1;
  assert.equal(takes(), 1);
  now += 3_600_000;
  assert.equal(takes(), 3);
});

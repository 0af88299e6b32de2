import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayTakeOut, probed, UNPROBED, type HealthPolicy, type HealthState } from './health.js';

const POLICY: HealthPolicy = { failures: 3, successes: 1, startPeriodMs: 0 };

test('one success heals', () => {
  assert.deepEqual(after([true]).isHealthy, true);
  assert.deepEqual(after([false, false, false, false, true]), { isHealthy: true, failures: 0, successes: 1 });
});

test('only as many failures in a row as the threshold condemn', () => {
  assert.deepEqual(verdicts([true, false, false, true, false, false, false, false]), [
    ...[true, true, true, true, true, true],
    ...[false, false],
  ]);
});

test('an instance that never succeeded is neither healthy nor unhealthy below the threshold', () => {
  assert.deepEqual(verdicts([false, false, false]), [null, null, false]);
});

test('an unhealthy instance recovers by as many successes in a row as the threshold, the first verdict needs one', () => {
  const policy = { ...POLICY, failures: 1, successes: 2 };
  assert.deepEqual(verdicts([true, false, true, false, true, true], policy), [
    ...[true, false, false, false, false],
    true,
  ]);
});

test('failures do not count before the start period is over, or after the first success', () => {
  // One probe a second.
  const policy = { ...POLICY, failures: 2, startPeriodMs: 3000 };
  assert.deepEqual(verdicts([false, false, false, false, false], policy), [null, null, null, null, false]);
  assert.deepEqual(verdicts([true, false, false], policy), [true, true, false]);
});

test('of several instances one is taken out at a time, as long as another one serves', () => {
  const serving = { isTakenOut: false, serves: true };
  const out = { isTakenOut: true, serves: false };
  const ailing = { isTakenOut: false, serves: false };
  assert.equal(mayTakeOut([]), true);
  assert.equal(mayTakeOut([serving, ailing]), true);
  assert.equal(mayTakeOut([serving, out]), false);
  assert.equal(mayTakeOut([ailing, out]), true);
});

function after(successes: readonly boolean[], policy = POLICY): HealthState {
  return states(successes, policy).at(-1)!;
}

function verdicts(successes: readonly boolean[], policy = POLICY): (boolean | null)[] {
  return states(successes, policy).map(({ isHealthy }) => isHealthy);
}

function states(successes: readonly boolean[], policy: HealthPolicy): HealthState[] {
  let state = UNPROBED;
  return successes.map((isSuccess, second) => {
    state = probed(state, { isSuccess, ageMs: (second + 1) * 1000 - 1 }, policy);
    return state;
  });
}

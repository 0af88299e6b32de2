import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probed, UNPROBED } from './health.js';

test('one success heals', () => {
  assert.deepEqual(probed(UNPROBED, true, 3), { isHealthy: true, failures: 0 });
  assert.deepEqual(probed({ isHealthy: false, failures: 7 }, true, 3), { isHealthy: true, failures: 0 });
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

function verdicts(successes: readonly boolean[]): (boolean | null)[] {
  let state = UNPROBED;
  return successes.map((isSuccess) => {
    state = probed(state, isSuccess, 3);
    return state.isHealthy;
  });
}

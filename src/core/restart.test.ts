import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RestartSpec } from '../protocol/index.js';
import { decideRestart, NO_FAILURES, type EndedAttempt, type RestartHistory } from './restart.js';

const POLICY: RestartSpec = {
  policy: 'always',
  stopExitCodes: [42],
  delayMs: 100,
  maxDelayMs: 1000,
  stableMs: 10_000,
  limit: 5,
  windowMs: 60_000,
  retryMs: 30_000,
};
const CRASH: EndedAttempt = { ending: { kind: 'exited', code: 1 }, since: 0, at: 500, jitter: 0 };

test('the first restart is immediate', () => {
  assert.deepEqual(decideRestart(CRASH, NO_FAILURES, POLICY), {
    kind: 'restart',
    delayMs: 0,
    history: { row: 1, failures: [500] },
    reason: 'failure 1 in a row',
  });
});

test('the following restarts wait twice as long each time, up to the cap', () => {
  const delays = [1, 2, 3, 4, 5, 6].map((row) => delayOf(CRASH, { row, failures: [] }));
  assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
});

test('jitter adds up to a fifth', () => {
  assert.equal(delayOf({ ...CRASH, jitter: 0.5 }, { row: 1, failures: [] }), 110);
  assert.equal(delayOf({ ...CRASH, jitter: 0.999 }, { row: 1, failures: [] }), 120);
});

test('an attempt that was stable begins a new row', () => {
  const decision = decideRestart({ ...CRASH, at: 10_000 }, { row: 4, failures: [] }, POLICY);
  assert.ok(decision.kind === 'restart');
  assert.deepEqual([decision.delayMs, decision.history.row], [0, 1]);
});

test('the limit of failures within the window is a crash loop, with the reason', () => {
  const failures = [100, 200, 300, 5400];
  const decision = decideRestart({ ...CRASH, at: 5500 }, { row: 4, failures }, POLICY);
  assert.deepEqual(decision, {
    kind: 'crash-loop',
    delayMs: 30_000,
    history: { row: 5, failures: [...failures, 5500] },
    reason: 'crash loop: 5 failures within 5 s',
  });
});

test('failures that have left the window do not count', () => {
  const decision = decideRestart({ ...CRASH, since: 61_000, at: 61_100 }, loop(4), POLICY);
  assert.ok(decision.kind === 'restart');
  assert.deepEqual(decision.history.failures, [61_100]);
});

test('a crash loop lasts until an attempt is stable, though its slow tries leave the window', () => {
  const unstable = decideRestart({ ...CRASH, since: 90_000, at: 90_100 }, loop(5), POLICY);
  const stable = decideRestart({ ...CRASH, since: 90_000, at: 100_000 }, loop(5), POLICY);
  assert.equal(unstable.kind, 'crash-loop');
  assert.equal(stable.kind, 'restart');
});

test('a stop exit code completes the service under any policy', () => {
  const done = { ...CRASH, ending: { kind: 'exited', code: 42 } } as const;
  for (const policy of ['always', 'on-failure'] as const) {
    assert.deepEqual(decideRestart(done, NO_FAILURES, { ...POLICY, policy }), {
      kind: 'complete',
      reason: 'exit code 42 is a stop exit code',
    });
  }
});

test('on-failure takes exit code 0 for done, and a signal for a failure', () => {
  const policy = { ...POLICY, policy: 'on-failure' } as const;
  const exited = decideRestart({ ...CRASH, ending: { kind: 'exited', code: 0 } }, NO_FAILURES, policy);
  const killed = decideRestart({ ...CRASH, ending: { kind: 'signalled', code: null } }, NO_FAILURES, policy);
  assert.deepEqual(exited, {
    kind: 'complete',
    reason: 'exit code 0 under restart policy "on-failure"',
  });
  assert.equal(killed.kind, 'restart');
});

test('never restarts nothing', () => {
  const decision = decideRestart(CRASH, NO_FAILURES, { ...POLICY, policy: 'never' });
  assert.deepEqual(decision, { kind: 'complete', reason: 'restart policy "never"' });
});

function delayOf(ended: EndedAttempt, history: RestartHistory): number {
  const decision = decideRestart(ended, history, POLICY);
  assert.ok(decision.kind === 'restart');
  return decision.delayMs;
}

function loop(count: number): RestartHistory {
  return { row: count, failures: Array.from({ length: count }, (_, index) => index * 100) };
}

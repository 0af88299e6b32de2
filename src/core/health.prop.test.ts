import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mayTakeOut, probed, UNPROBED, type HealthPolicy, type HealthState, type Peer } from './health.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 10) };

const threshold = fc.integer({ min: 1, max: 4 });
const policies: fc.Arbitrary<HealthPolicy> = fc.record({
  failures: threshold,
  successes: threshold,
  startPeriodMs: fc.nat(8000),
});
/** A probe a second. */
const histories = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });

interface Moment {
  readonly before: HealthState;
  readonly after: HealthState;
  /** All answers so far, this one too. */
  readonly answers: readonly boolean[];
  readonly ageMs: number;
}

test('who becomes unhealthy has failed so often in a row, and not within a start period without a success', () => {
  check((policy, { before, after, answers, ageMs }) => {
    if (after.isHealthy !== false || before.isHealthy === false) return;
    assert.ok(answers.slice(-policy.failures).every((isSuccess) => !isSuccess));
    assert.ok(answers.length >= policy.failures);
    assert.ok(answers.includes(true) || ageMs >= policy.startPeriodMs);
  });
});

test('who has failed so often in a row is unhealthy, once failures count', () => {
  check((policy, { after, answers, ageMs }) => {
    const excused = Math.ceil(policy.startPeriodMs / 1000);
    const counted = answers.includes(true) ? answers : answers.slice(excused);
    const row = counted.length - 1 - counted.lastIndexOf(true);
    if (row >= policy.failures && ageMs >= policy.startPeriodMs) assert.equal(after.isHealthy, false);
  });
});

test('who becomes healthy has succeeded: once for the first time, so often in a row to recover', () => {
  check((policy, { before, after, answers }) => {
    if (after.isHealthy !== true || before.isHealthy === true) return;
    const needed = before.isHealthy === null ? 1 : policy.successes;
    assert.deepEqual(
      answers.slice(-needed),
      Array.from({ length: needed }, () => true),
    );
  });
});

test('a verdict is never taken back to "not known"', () => {
  check((_policy, { before, after }) => {
    if (before.isHealthy !== null) assert.notEqual(after.isHealthy, null);
  });
});

test('probes never take out two at a time while a third one serves', () => {
  const changes = fc.array(
    fc.record({ index: fc.nat(4), to: fc.constantFrom('condemned', 'back', 'crashed') }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), changes, (count, steps) => {
      const peers: Peer[] = Array.from({ length: count }, () => ({ isTakenOut: false, serves: true }));
      for (const { index, to } of steps) {
        const at = index % count;
        if (to === 'back') peers[at] = { isTakenOut: false, serves: true };
        else if (to === 'crashed') peers[at] = { isTakenOut: peers[at]!.isTakenOut, serves: false };
        else if (mayTakeOut(peers.filter((_, other) => other !== at))) {
          const before = peers.filter((peer, other) => other !== at && peer.isTakenOut).length;
          peers[at] = { isTakenOut: true, serves: false };
          assert.ok(before === 0 || peers.every(({ serves }) => !serves));
        } else peers[at] = { isTakenOut: peers[at]!.isTakenOut, serves: false };
      }
    }),
    parameters,
  );
});

function check(claim: (policy: HealthPolicy, moment: Moment) => void): void {
  fc.assert(
    fc.property(policies, histories, (policy, history) => {
      let before = UNPROBED;
      for (const [second, isSuccess] of history.entries()) {
        const ageMs = second * 1000;
        const after = probed(before, { isSuccess, ageMs }, policy);
        claim(policy, { before, after, answers: history.slice(0, second + 1), ageMs });
        before = after;
      }
    }),
    parameters,
  );
}

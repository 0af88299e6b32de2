import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeSilence, stillSilent, UNHEARD, type LoopLook, type LoopSilence } from './event-loop.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 10) };
const LIMIT_MS = 30_000;
const PLANNED_MS = 5000;

const looks: fc.Arbitrary<LoopLook> = fc
  .record({
    elapsedMs: fc.oneof(fc.integer({ min: PLANNED_MS, max: 7000 }), fc.nat(100_000)),
    ran: fc.nat(100),
    queued: fc.nat(100),
    isStopped: fc.boolean(),
  })
  .map(({ elapsedMs, ran, queued, isStopped }) => {
    const cpuMs = (elapsedMs * ran) / 100;
    const queuedMs = ((elapsedMs - cpuMs) * queued) / 100;
    return { elapsedMs, plannedMs: PLANNED_MS, cpuMs, queuedMs, isStopped };
  });

function after(seen: readonly LoopLook[]): LoopSilence {
  return seen.reduce(stillSilent, UNHEARD);
}

function check(arbitrary: fc.Arbitrary<LoopLook>, claim: (seen: readonly LoopLook[]) => void): void {
  fc.assert(fc.property(fc.array(arbitrary, { maxLength: 60 }), claim), parameters);
}

test('it never hangs before so much time has passed as the limit says', () => {
  check(looks, (seen) => {
    const elapsedMs = seen.reduce((sum, look) => sum + look.elapsedMs, 0);
    if (elapsedMs < LIMIT_MS) assert.equal(judgeSilence(after(seen), LIMIT_MS), 'answering');
  });
});

test('time in which the daemon was not there, or the process was stopped, never counts', () => {
  const unfair = looks.filter(({ elapsedMs, isStopped }) => isStopped || elapsedMs > PLANNED_MS * 1.5 + 250);
  check(unfair, (seen) => assert.deepEqual(after(seen), UNHEARD));
});

test('who waits for a processor is counted no more than it ran', () => {
  const starved = looks.filter(({ queuedMs, elapsedMs }) => queuedMs > elapsedMs / 2);
  check(starved, (seen) => {
    const ranMs = seen.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
    assert.ok(after(seen).fairMs <= ranMs);
  });
});

test('who has a processor and stays silent for the limit hangs, busy or blocked as it ran or not', () => {
  const fair = fc.record({
    elapsedMs: fc.integer({ min: PLANNED_MS, max: 7000 }),
    plannedMs: fc.constant(PLANNED_MS),
    queuedMs: fc.constant(0),
    isStopped: fc.constant(false),
  });
  check(
    fair.map((look) => ({ ...look, cpuMs: look.elapsedMs })),
    (seen) => {
      if (seen.length >= LIMIT_MS / PLANNED_MS) assert.equal(judgeSilence(after(seen), LIMIT_MS), 'busy');
    },
  );
  check(
    fair.map((look) => ({ ...look, cpuMs: 0 })),
    (seen) => {
      if (seen.length >= LIMIT_MS / PLANNED_MS) assert.equal(judgeSilence(after(seen), LIMIT_MS), 'blocked');
    },
  );
});

test('silence only grows', () => {
  check(looks, (seen) => {
    const before = after(seen.slice(0, -1));
    assert.ok(after(seen).fairMs >= before.fairMs);
  });
});

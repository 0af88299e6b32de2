import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextReplacements, type SlotState } from './rollout.js';

const RUNS = Number(process.env.UPKEEP_PROP_RUNS ?? 10_000);

const policy = fc
  .record({ maxSurge: fc.nat(4), maxUnavailable: fc.nat(4) })
  .filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0);

/** In which order replacements end, and which of them fails. */
const endings = fc.array(fc.record({ pick: fc.nat(), isFailure: fc.nat(30).map((n) => n === 0) }), {
  minLength: 60,
  maxLength: 60,
});

test('a rollout keeps its bounds, begins each once, ends, and begins nothing after a failure', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20 }), policy, endings, (count, bounds, order) => {
      const slots: SlotState[] = Array.from({ length: count }, () => 'old');
      for (const { pick, isFailure } of order) {
        const hadFailed = slots.includes('failed');
        const begun = nextReplacements(slots, bounds);
        assert.ok(!hadFailed || begun.length === 0);
        for (const { index, how } of begun) {
          assert.equal(slots[index], 'old');
          slots[index] = how === 'surge' ? 'surging' : 'swapping';
        }
        assert.ok(slots.filter((slot) => slot === 'surging').length <= bounds.maxSurge);
        assert.ok(slots.filter((slot) => slot === 'swapping').length <= bounds.maxUnavailable);
        const open = slots.flatMap((slot, index) =>
          slot === 'surging' || slot === 'swapping' ? [index] : [],
        );
        if (open.length === 0) break;
        slots[open[pick % open.length]!] = isFailure ? 'failed' : 'done';
      }
      const isOver = slots.every((slot) => slot === 'done');
      assert.ok(isOver || slots.includes('failed'));
    }),
    { numRuns: RUNS },
  );
});

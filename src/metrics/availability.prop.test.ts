import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LEVELS, type Level } from '../protocol/index.js';
import { reportOf, spread, STABLE_MS } from './availability.js';
import type { HistoryRecord } from './record.js';

const START = Date.parse('2026-01-01T00:00:00Z');

/** Levels, each with how long it lasts. */
const life = fc.array(fc.tuple(fc.constantFrom(...LEVELS), fc.integer({ min: 1, max: 3 * STABLE_MS })), {
  minLength: 1,
  maxLength: 60,
});

test('every moment since the first record counts once, and what was down is in incidents', () => {
  fc.assert(
    fc.property(life, (stretches) => {
      const { records, until } = recordsOf(stretches);
      const report = reportOf('api', records, { since: 0, until });
      const { upMs, degradedMs, downMs, offMs, unobservedMs, incidents } = report;
      assert.equal(upMs + degradedMs + downMs + offMs + unobservedMs, until - START);
      for (const level of LEVELS) assert.equal(report[`${level}Ms`], lengthOf(stretches, level));
      const observed = upMs + degradedMs + downMs;
      assert.equal(report.availability, observed === 0 ? null : (upMs + degradedMs) / observed);
      assert.equal(
        incidents.reduce((sum, incident) => sum + incident.downMs, 0),
        downMs,
      );
    }),
  );
});

test('incidents come one after the other, and only the last one may go on', () => {
  fc.assert(
    fc.property(life, (stretches) => {
      const { records, until } = recordsOf(stretches);
      const { incidents } = reportOf('api', records, { since: 0, until });
      for (const [index, { endedAt }] of incidents.entries()) {
        const next = incidents[index + 1];
        if (next) assert.ok(endedAt !== null && endedAt <= next.startedAt);
        else assert.equal(endedAt === null, ['down', 'degraded'].includes(stretches.at(-1)![0]));
      }
    }),
  );
});

test('two periods that follow each other add up to the whole', () => {
  fc.assert(
    fc.property(life, fc.double({ min: 0, max: 1, noNaN: true }), (stretches, share) => {
      const { records, until } = recordsOf(stretches);
      const split = START + Math.round((until - START) * share);
      const whole = reportOf('api', records, { since: START, until });
      const first = reportOf('api', records, { since: START, until: split });
      const second = reportOf('api', records, { since: split, until });
      for (const level of LEVELS)
        assert.equal(first[`${level}Ms`] + second[`${level}Ms`], whole[`${level}Ms`]);
    }),
  );
});

test('a crash loop is one incident, and its cause is what ended the first attempt', () => {
  const stretches: [Level, number][] = [['up', 60_000]];
  for (let round = 0; round < 10; round++) stretches.push(['down', 1000], ['up', 200]);
  stretches.push(['up', 60_000]);
  const { records, until } = recordsOf(stretches);
  const at = START + 60_000;
  const faults = [0, 1200, 2400].map((after): HistoryRecord => ({
    ...{ k: 'fault', t: at + after, heard: at + after + 7, i: 0, a: 4 + after },
    ...{ kind: 'crash', words: `exit code ${after}` },
  }));
  const { incidents, unplanned, detectMs, repairMs } = reportOf('api', [...faults, ...records], {
    since: 0,
    until,
  });
  assert.equal(incidents.length, 1);
  assert.deepEqual(
    [incidents[0]!.words, incidents[0]!.times, incidents[0]!.downMs],
    ['exit code 0', 10, 10_000],
  );
  assert.deepEqual([unplanned, detectMs.median, repairMs.median], [1, 7, 9 * 1200 + 1000]);
});

test('what somebody asked for is no failure, and counts as down all the same', () => {
  const { records, until } = recordsOf([
    ['up', 9000],
    ['down', 1000],
    ['up', 90_000],
  ]);
  const t = START + 9000;
  const asked: HistoryRecord[] = [
    { k: 'operation', t, id: '3', kind: 'restart', by: 'root' },
    { k: 'fault', t: t + 500, heard: t + 500, i: 0, a: 1, kind: 'operator', words: 'operation 3 (restart)' },
  ];
  const report = reportOf('api', [...records, ...asked], { since: 0, until });
  assert.deepEqual([report.availability, report.unplanned, report.interventions], [0.99, 0, 1]);
  assert.deepEqual([report.incidents[0]!.isPlanned, report.repairMs.median], [true, null]);
});

test('median and 95th percentile are values that were measured', () => {
  assert.deepEqual(spread([]), { median: null, p95: null });
  assert.deepEqual(spread([4, null, 2]), { median: 2, p95: 4 });
  assert.deepEqual(spread(Array.from({ length: 100 }, (_, index) => index + 1)), { median: 50, p95: 95 });
});

function recordsOf(stretches: readonly (readonly [Level, number])[]): {
  records: HistoryRecord[];
  until: number;
} {
  let t = START;
  const records = stretches.map(([to, length]): HistoryRecord => {
    const record: HistoryRecord = { k: 'level', t, to };
    t += length;
    return record;
  });
  return { records, until: t };
}

function lengthOf(stretches: readonly (readonly [Level, number])[], level: Level): number {
  return stretches.reduce((sum, [its, length]) => (its === level ? sum + length : sum), 0);
}

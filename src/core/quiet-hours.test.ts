import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuietSpec } from '../protocol/index.js';
import { quietUntil } from './quiet-hours.js';

const NIGHT: QuietSpec = { from: 22 * 60, to: 7 * 60, timezone: 'Europe/Berlin', except: ['crash-loop'] };

function at(
  time: string,
  quiet: QuietSpec | null = NIGHT,
  kind: 'crash' | 'crash-loop' = 'crash',
): string | undefined {
  const until = quietUntil(quiet, kind, Date.parse(time));
  return until === undefined ? undefined : new Date(until).toISOString();
}

test('a notice waits until the quiet hours of its time zone are over', () => {
  assert.equal(at('2026-01-10T20:59:00Z'), undefined);
  assert.equal(at('2026-01-10T21:00:30Z'), '2026-01-11T06:00:00.000Z');
  assert.equal(at('2026-01-11T05:59:59Z'), '2026-01-11T06:00:00.000Z');
  assert.equal(at('2026-01-11T06:00:00Z'), undefined);
});

test('quiet hours end by the clock also in the nights in which it is set', () => {
  assert.equal(at('2026-10-24T21:00:00Z'), '2026-10-25T06:00:00.000Z');
  assert.equal(at('2026-03-28T22:00:00Z'), '2026-03-29T05:00:00.000Z');
  const gap: QuietSpec = { ...NIGHT, to: 2 * 60 + 30 };
  assert.equal(at('2026-03-28T22:00:00Z', gap), '2026-03-29T01:30:00.000Z', 'there is no half past two');
});

test('quiet hours within a day end on that day', () => {
  const noon: QuietSpec = { ...NIGHT, from: 12 * 60, to: 13 * 60, timezone: 'UTC' };
  assert.equal(at('2026-01-10T12:30:00Z', noon), '2026-01-10T13:00:00.000Z');
  assert.equal(at('2026-01-10T13:00:00Z', noon), undefined);
});

test('what is excepted does not wait, nor does anything without quiet hours', () => {
  assert.equal(at('2026-01-10T23:00:00Z', NIGHT, 'crash-loop'), undefined);
  assert.equal(at('2026-01-10T23:00:00Z', null), undefined);
  assert.equal(at('2026-01-10T23:00:00Z', { ...NIGHT, from: 60, to: 60 }), undefined);
});

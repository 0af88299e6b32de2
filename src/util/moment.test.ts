import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMoment } from './moment.js';

const NOW = new Date(2026, 10, 29, 14, 5, 10, 500);

function local(...parts: [number, number, number, number?, number?, number?, number?]): number {
  const [year, month, day, ...clock] = parts;
  return new Date(year, month - 1, day, ...(clock as [number])).getTime();
}

test('a duration is so long ago', () => {
  assert.equal(parseMoment('10m', NOW), NOW.getTime() - 600_000);
  assert.equal(parseMoment('1.5h', NOW), NOW.getTime() - 5_400_000);
  assert.equal(parseMoment('2d', NOW), NOW.getTime() - 172_800_000);
  assert.equal(parseMoment('now', NOW), NOW.getTime());
});

test('a clock time is the last one that was', () => {
  assert.equal(parseMoment('14:05', NOW), local(2026, 11, 29, 14, 5));
  assert.equal(parseMoment('9:30:15.25', NOW), local(2026, 11, 29, 9, 30, 15, 250));
  assert.equal(parseMoment('14:05:10.500', NOW), NOW.getTime());
  assert.equal(parseMoment('14:06', NOW), local(2026, 11, 28, 14, 6));
});

test('a date is its midnight, or has a clock time', () => {
  assert.equal(parseMoment('2026-11-28', NOW), local(2026, 11, 28));
  assert.equal(parseMoment('2026-11-28 23:59', NOW), local(2026, 11, 28, 23, 59));
  assert.equal(parseMoment('2026-11-28T23:59:01.5', NOW), local(2026, 11, 28, 23, 59, 1, 500));
  assert.equal(parseMoment('today', NOW), local(2026, 11, 29));
  assert.equal(parseMoment('yesterday', NOW), local(2026, 11, 28));
});

test('ISO 8601 with its time zone is a moment anywhere', () => {
  assert.equal(parseMoment('2026-11-29T14:05:10.123Z', NOW), Date.UTC(2026, 10, 29, 14, 5, 10, 123));
  assert.equal(parseMoment('2026-11-29T14:05:10+02:00', NOW), Date.UTC(2026, 10, 29, 12, 5, 10));
});

test('anything else is none', () => {
  for (const text of [
    '',
    'noon',
    '24:00',
    '14:60',
    '14',
    '2026-02-30',
    '2026-13-01',
    '2026-11-29 25:00',
    '-5m',
    '10 minutes',
    '29.11.2026',
    'NaN',
  ])
    assert.equal(parseMoment(text, NOW), undefined, text);
});

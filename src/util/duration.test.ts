import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDuration, parseDuration } from './duration.js';

test('a duration is a number and a unit', () => {
  const cases = { '500ms': 500, '10s': 10_000, '1.5m': 90_000, '2h': 7_200_000, '7d': 604_800_000 };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms);
});

test('a plain number is milliseconds', () => {
  assert.equal(parseDuration(250), 250);
  assert.equal(parseDuration(0), 0);
});

test('blanks around and before the unit are allowed', () => {
  assert.equal(parseDuration(' 10 s '), 10_000);
});

test('anything else is no duration', () => {
  for (const value of ['', '10', 's', '-1s', '1w', '1s 2m', '1e3ms', '.5s', -1, NaN, Infinity]) {
    assert.equal(parseDuration(value), undefined);
  }
});

test('a duration is said with its two largest units', () => {
  const cases = [
    [0, '0ms'],
    [850, '850ms'],
    [1000, '1s'],
    [12_400, '12s'],
    [59_999, '1m'],
    [200_000, '3m 20s'],
    [3_600_000, '1h'],
    [187_200_000, '2d 4h'],
    [187_260_000, '2d 4h'],
  ] as const;
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTime } from './time.js';

test('a time of today has no date', () => {
  const now = new Date(2024, 2, 9, 18, 0, 0);
  assert.equal(formatTime(new Date(2024, 2, 9, 4, 2, 1).toISOString(), now), '04:02:01');
  assert.equal(formatTime(new Date(2024, 2, 8, 23, 59, 59).toISOString(), now), '2024-03-08 23:59:59');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMs, formatShare } from './traffic.js';

test('a share is never rounded to none or to all', () => {
  const shown = [0.5, 0.123456, 0.99999, 1, 0.000001, 1 / 3].map(formatShare);
  assert.deepEqual(shown, ['50 %', '12 %', '99.99 %', '100 %', 'under 0.01 %', '33 %']);
});

test('times have as many digits as are known', () => {
  assert.deepEqual([0.0734, 3.456, 123.4, 999.9, 12_345].map(formatMs), [
    '0.073ms',
    '3.5ms',
    '120ms',
    '1000ms',
    '12s',
  ]);
});

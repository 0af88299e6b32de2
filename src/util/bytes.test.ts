import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, parseBytes } from './bytes.js';

test('a size is a number and a unit, in powers of 1024, in any of the usual spellings', () => {
  const cases = {
    '512': 512,
    '512B': 512,
    '2k': 2048,
    '300M': 314_572_800,
    '300MB': 314_572_800,
    '300MiB': 314_572_800,
    '1.5gb': 1_610_612_736,
    ' 1 GB ': 1_073_741_824,
  };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(parseBytes(text), bytes);
});

test('a plain number is bytes, whole and not negative', () => {
  assert.equal(parseBytes(4096), 4096);
  assert.equal(parseBytes(0.5), undefined);
  assert.equal(parseBytes(-1), undefined);
});

test('anything else is no size', () => {
  for (const value of ['', 'MB', '-1MB', '1TB', '1 2', '50%', NaN, Infinity]) {
    assert.equal(parseBytes(value), undefined);
  }
});

test('a size is said in its largest unit, with a decimal below 100', () => {
  const cases = [
    [0, '0 B'],
    [742, '742 B'],
    [1024, '1.0 KB'],
    [3_250_586, '3.1 MB'],
    [314_572_800, '300 MB'],
    [1_288_490_189, '1.2 GB'],
  ] as const;
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});

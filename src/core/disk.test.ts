import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isShort, shortageOfInodes, shortageOfSpace, type DiskSpace } from './disk.js';

const GiB = 1024 ** 3;
const FINE: DiskSpace = { totalBytes: 100 * GiB, freeBytes: 50 * GiB, totalInodes: 1e6, freeInodes: 5e5 };

test('neither a small share of a large disk nor a small disk is short of space', () => {
  assert.equal(shortageOfSpace({ ...FINE, totalBytes: 1000 * GiB, freeBytes: 2 * GiB }), undefined);
  assert.equal(shortageOfSpace({ ...FINE, totalBytes: 0.2 * GiB, freeBytes: 0.1 * GiB }), undefined);
});

test('little space, and next to none', () => {
  assert.equal(shortageOfSpace({ ...FINE, freeBytes: 0.9 * GiB }), 'little');
  assert.equal(shortageOfSpace({ ...FINE, freeBytes: 0.05 * GiB }), 'none');
});

test('inodes run out, too, where their number is fixed', () => {
  assert.equal(shortageOfInodes({ ...FINE, freeInodes: 40_000 }), 'little');
  assert.equal(shortageOfInodes({ ...FINE, freeInodes: 4000 }), 'none');
  assert.equal(shortageOfInodes({ ...FINE, totalInodes: 0, freeInodes: 0 }), undefined);
  assert.deepEqual([isShort(FINE), isShort({ ...FINE, freeInodes: 1 })], [false, true]);
});

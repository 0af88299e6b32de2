import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lastLines } from './last-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'upkeep-lines-'));
const path = join(folder, 'out.log');
after(() => rmSync(folder, { recursive: true }));

test('the last lines are answered, oldest first', () => {
  writeFileSync(path, 'a\nb\nc\n');
  assert.deepEqual(lastLines(path, 2), ['b', 'c']);
  assert.deepEqual(lastLines(path, 5), ['a', 'b', 'c']);
});

test('a line without an end counts', () => {
  writeFileSync(path, 'a\nb');
  assert.deepEqual(lastLines(path, 1), ['b']);
});

test('what comes after a given place is left out', () => {
  writeFileSync(path, 'a\nb\nc\n');
  assert.deepEqual(lastLines(path, 5, 4), ['a', 'b']);
  assert.deepEqual(lastLines(path, 5, 0), []);
});

test('empty lines are lines', () => {
  writeFileSync(path, '\n\na\n\n');
  assert.deepEqual(lastLines(path, 3), ['', 'a', '']);
});

test('nothing is answered for no lines, an empty file and none', () => {
  writeFileSync(path, 'a\n');
  assert.deepEqual(lastLines(path, 0), []);
  writeFileSync(path, '');
  assert.deepEqual(lastLines(path, 5), []);
  assert.deepEqual(lastLines(join(folder, 'absent'), 5), []);
});

test('lines across the blocks that are read come out whole', () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${'ä'.repeat(index % 50)}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  for (const count of [1, 700, 4999, 5000, 9000])
    assert.deepEqual(lastLines(path, count), lines.slice(-count));
});

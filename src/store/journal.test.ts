import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Journal } from './journal.js';

let path = '';
let journal: Journal;

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'upkeep-journal-')), 'lines.jsonl');
  journal = new Journal(path);
});
afterEach(async () => {
  await journal.close();
  rmSync(join(path, '..'), { recursive: true });
});

test('what was appended is read again, in that order', async () => {
  assert.deepEqual(
    journal.read(() => []),
    [],
  );
  await Promise.all([1, 2, 3].map((value) => journal.append({ value })));
  assert.deepEqual(lines(), [{ value: 1 }, { value: 2 }, { value: 3 }]);
});

test('an append has happened when it resolves', async () => {
  await journal.append('here');
  assert.equal(readFileSync(path, 'utf8'), '"here"\n');
});

test('a torn line is lost alone: it is not in the way of the next one', async () => {
  writeFileSync(path, '{"value":1}\n{"val');
  const kept = journal.read(() => kept);
  await journal.append({ value: 2 });
  assert.deepEqual(lines(), [{ value: 1 }, { value: 2 }]);
});

test('a file that grew too long is renewed with what still matters', async () => {
  journal = new Journal(path, { maxBytes: 100 });
  journal.read(() => ['summary']);
  for (let value = 0; value < 10; value++) await journal.append({ value, text: 'x'.repeat(20) });
  assert.equal(lines()[0], 'summary');
  assert.ok(readFileSync(path).length < 200);
  assert.deepEqual(lines().at(-1), { value: 9, text: 'x'.repeat(20) });
});

test('a file of which all still matters is not written anew with each line', async () => {
  journal = new Journal(path, { maxBytes: 100 });
  let renewed = 0;
  journal.read(() => {
    renewed++;
    return ['x'.repeat(1000)];
  });
  for (let value = 0; value < 10; value++) await journal.append({ value });
  assert.equal(renewed, 1);
});

test('a write that fails rejects, and the next one renews the file', async () => {
  journal.read(() => ['summary']);
  mkdirSync(`${path}.new`);
  await assert.rejects(journal.append('lost'), { code: 'EISDIR' });
  rmdirSync(`${path}.new`);
  await journal.append('kept');
  assert.deepEqual(lines(), ['summary', 'kept']);
});

test('what cannot be read is not taken for a new home', () => {
  mkdirSync(path);
  assert.throws(() => journal.read(() => []), { code: 'EISDIR' });
});

test('lines that only look whole are left to the reader', async () => {
  await journal.append(1);
  appendFileSync(path, 'null\n\0\0\n');
  assert.deepEqual(lines(), [1, null]);
});

test('close waits for what is being written', async () => {
  void journal.append('last words');
  await journal.close();
  assert.deepEqual(lines(), ['last words']);
});

function lines(): unknown[] {
  return new Journal(path).read(() => []);
}

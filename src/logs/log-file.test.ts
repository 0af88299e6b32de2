import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { LogFile } from './log-file.js';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upkeep-log-'));
  path = join(folder, 'api', 'out.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the folder and the file come with the first line, for nobody else to read', () => {
  const file = new LogFile(path);
  assert.equal(existsSync(path), false);
  file.append(Buffer.from('hello\n'));
  file.close();
  assert.equal(readFileSync(path, 'utf8'), 'hello\n');
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('rotated files, joined from the oldest, are byte for byte what was written', () => {
  const file = new LogFile(path, { maxBytes: 1000, keep: 100 });
  const written: Buffer[] = [];
  for (let line = 0; line < 500; line++) {
    const bytes = Buffer.from(`${line} ${'é'.repeat(line % 70)}\n`);
    written.push(bytes);
    file.append(bytes);
  }
  file.close();
  assert.ok(readdirSync(join(folder, 'api')).length > 30);
  assert.deepEqual(joined(), Buffer.concat(written));
});

test('no file is larger than its limit', () => {
  const file = new LogFile(path, { maxBytes: 100, keep: 3 });
  for (let line = 0; line < 100; line++) file.append(Buffer.from(`line ${line}\n`));
  file.close();
  for (const name of files()) assert.ok(statSync(join(folder, 'api', name)).size <= 100);
});

test('the oldest file is deleted', () => {
  const file = new LogFile(path, { maxBytes: 5, keep: 2 });
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n']) file.append(Buffer.from(line));
  file.close();
  assert.deepEqual(files(), ['out.log.2', 'out.log.1', 'out.log']);
  assert.equal(joined().toString(), 'two\nthree\nfour\n');
});

test('a line that is larger than a file is kept whole', () => {
  const file = new LogFile(path, { maxBytes: 10, keep: 2 });
  const long = Buffer.from(`${'x'.repeat(50)}\n`);
  file.append(long);
  file.append(long);
  file.close();
  assert.deepEqual(readFileSync(path), long);
  assert.deepEqual(readFileSync(`${path}.1`), long);
});

test('what a former daemon wrote is continued', () => {
  const file = new LogFile(path);
  file.append(Buffer.from('before\n'));
  file.close();
  const next = new LogFile(path);
  next.append(Buffer.from('after\n'));
  next.close();
  assert.equal(readFileSync(path, 'utf8'), 'before\nafter\n');
});

test('what cannot be written is counted, and nothing is thrown', () => {
  writeFileSync(join(folder, 'api'), 'a file where the folder should be');
  const file = new LogFile(path);
  file.append(Buffer.from('lost\n'));
  assert.equal(file.lostBytes, 5);
});

/** Oldest first. */
function files(): string[] {
  const number = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? 0);
  return readdirSync(join(folder, 'api')).sort((a, b) => number(b) - number(a));
}

function joined(): Buffer {
  return Buffer.concat(files().map((name) => readFileSync(join(folder, 'api', name))));
}

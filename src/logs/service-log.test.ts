import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { LogLine } from '../protocol/index.js';
import { ServiceLog } from './service-log.js';

let folder = '';
let log: ServiceLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'upkeep-log-'));
  log = new ServiceLog(folder, 'api');
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

test('instances share a file without tearing the lines of each other', () => {
  const [one, two] = [log.sink(0, 'out'), log.sink(1, 'out')];
  one.write(Buffer.from('one be'));
  two.write(Buffer.from('two\n'));
  one.write(Buffer.from('gins\n'));
  assert.equal(readFileSync(log.path('out'), 'utf8'), 'two\none begins\n');
});

test('out and err are files of their own', () => {
  log.sink(0, 'out').write(Buffer.from('good\n'));
  log.sink(0, 'err').write(Buffer.from('bad\n'));
  assert.equal(readFileSync(log.path('out'), 'utf8'), 'good\n');
  assert.equal(readFileSync(log.path('err'), 'utf8'), 'bad\n');
});

test('the end of an attempt ends its line', () => {
  const sink = log.sink(0, 'out');
  sink.write(Buffer.from('cut off'));
  sink.end();
  assert.equal(readFileSync(log.path('out'), 'utf8'), 'cut off\n');
});

test('followers hear whole lines, with who wrote them, until they end that', () => {
  const heard: LogLine[] = [];
  const end = log.subscribe((line) => heard.push(line));
  const sink = log.sink(2, 'err');
  sink.write(Buffer.from('a\nb\nc'));
  end();
  sink.end();
  const from = { service: 'api', instance: 2, stream: 'err' };
  assert.deepEqual(heard, [
    { ...from, line: 'a' },
    { ...from, line: 'b' },
  ]);
});

test('an attempt remembers its own last twenty lines', () => {
  const [old, current] = [log.sink(0, 'out'), log.sink(0, 'out')];
  old.write(Buffer.from('of the attempt before\n'));
  for (let line = 1; line <= 30; line++) current.write(Buffer.from(`line ${line}\n`));
  const expected = Array.from({ length: 20 }, (_, index) => `line ${11 + index}`);
  assert.deepEqual(current.tail(), expected);
});

test('whoever waits for a line in the output gets the complete ones', () => {
  const seen: string[] = [];
  const sink = log.sink(0, 'out', (lines) => seen.push(lines.toString()));
  sink.write(Buffer.from('not re'));
  sink.write(Buffer.from('ady\nready\n'));
  assert.deepEqual(seen, ['not ready\nready\n']);
});

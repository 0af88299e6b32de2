import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { compress } from '../archive/compress.js';
import type { Mark } from '../log-index.js';
import { LogSegment } from '../log-segment.js';
import { WrittenLog } from '../written-log.js';
import { ServiceErrors } from './service-errors.js';

const BEGUN = 1_700_000_000_000;
const ONE = { instance: 0, attempt: 1, begunAt: BEGUN };
const TWO = { instance: 1, attempt: 4, begunAt: BEGUN };
const QUIET_MS = 250;
let log: WrittenLog;
let now = 0;
let size = 0;
let told: string[] = [];
const warnings: string[] = [];
let opened: ServiceErrors[] = [];

beforeEach(() => {
  log = new WrittenLog();
  [now, size, told] = [BEGUN + 1000, 0, []];
  warnings.length = 0;
});
afterEach(async () => {
  await Promise.all(opened.map((errors) => errors.settled()));
  opened = [];
  log.remove();
});

function open(): ServiceErrors {
  const errors = new ServiceErrors({
    logFolder: log.folder,
    folder: join(log.folder, 'errors'),
    now: () => now,
    hide: (line) => line.replaceAll('hunter2-secret', '***'),
    onNew: ({ title, count }) => told.push(`${title} × ${count}`),
    onWarning: (message) => warnings.push(message),
  });
  opened.push(errors);
  return errors;
}

/** Appends to the current file; each text by its writer. */
function write(...texts: readonly (readonly [run: typeof ONE, text: string])[]): void {
  const marks: Mark[] = [];
  let offset = size;
  for (const [run, text] of texts) {
    marks.push({ ...run, at: now, offset });
    offset += Buffer.byteLength(text);
  }
  log.write(0, texts.map(([, text]) => text).join(''), marks, { isAppended: size > 0 });
  size = offset;
}

function rotate(): void {
  log.moveOn(1);
  log.moveOn(0);
  size = 0;
}

function archive(number: number): void {
  const segment = LogSegment.open(log.files, number)!;
  writeFileSync(log.files.archivePath(number), Buffer.concat([...compress(segment)]));
  segment.close();
  rmSync(log.files.path(number));
  rmSync(log.files.indexPath(number));
}

/** All that is there, until it is quiet. */
function readAll(errors: ServiceErrors): void {
  while (errors.hasNews()) {
    errors.readOn();
    now += QUIET_MS;
    errors.endQuiet(QUIET_MS);
  }
  errors.commit();
}

function counts(errors: ServiceErrors): Record<string, number> {
  return Object.fromEntries(errors.book.kinds.map(({ title, count }) => [title, count]));
}

function trace(type: string, message: string): string {
  return `${type}: ${message}\n    at work (/srv/app/${type}.js:3:5)\n    at main (/srv/app/main.js:9:1)\n`;
}

test('errors are counted by kind, and a new kind is told once, with its sample', () => {
  const errors = open();
  write([ONE, 'hello\nworld\n'], [ONE, trace('TypeError', 'no 17')], [ONE, 'more\n']);
  readAll(errors);
  write([ONE, trace('TypeError', 'no 18')], [ONE, 'ERROR: pool 3 is full\n'], [ONE, 'bye\n']);
  readAll(errors);
  const titles = Object.keys(counts(errors));
  assert.deepEqual(Object.values(counts(errors)), [2, 1]);
  assert.deepEqual(told, [`${titles[0]} × 1`, `${titles[1]} × 1`]);
  const { before, lines, instance, attempt } = errors.sample(errors.book.kinds[0]!.id)!;
  assert.deepEqual([before, instance, attempt], [['hello', 'world'], 0, 1]);
  assert.deepEqual(lines, trace('TypeError', 'no 17').trimEnd().split('\n'));
});

test('what a service was told in confidence is in no title and no sample', () => {
  const errors = open();
  write([ONE, 'dsn is hunter2-secret\n'], [ONE, trace('TypeError', 'cannot log in by hunter2-secret')]);
  readAll(errors);
  const [kind] = errors.book.kinds;
  assert.doesNotMatch(JSON.stringify([kind, told, errors.sample(kind!.id)]), /hunter2/);
});

test('the traces of two instances that write at a time are two traces', () => {
  const errors = open();
  const [first, second] = [
    trace('TypeError', 'a').split(/(?<=\n)/),
    trace('RangeError', 'b').split(/(?<=\n)/),
  ];
  for (const index of [0, 1, 2]) write([ONE, first[index]!], [TWO, second[index]!]);
  readAll(errors);
  assert.deepEqual(
    Object.keys(counts(errors)).map((title) => title.split(':')[0]),
    ['TypeError', 'RangeError'],
  );
  assert.deepEqual(
    errors.book.kinds.map(({ attempts }) => attempts),
    [[[0, 1, 1]], [[1, 4, 1]]],
  );
});

test('a trace that comes in parts is one, also when a daemon dies between them', () => {
  const [head, ...frames] = trace('TypeError', 'a').split(/(?<=\n)/);
  let errors = open();
  write([ONE, 'ERROR: before\n'], [ONE, head!]);
  errors.hasNews();
  errors.readOn();
  errors.commit(true);
  errors = open();
  write([ONE, frames.join('')]);
  readAll(errors);
  assert.deepEqual(Object.values(counts(errors)), [1, 1]);
  assert.equal(errors.sample(errors.book.kinds[1]!.id)!.lines.length, 3);
});

test('whenever daemons die, every error is counted once', () => {
  let errors = open();
  let random = 42;
  const chance = (): number => (random = (random * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const written = { TypeError: 0, RangeError: 0 };
  for (let round = 0; round < 400; round++) {
    const type = chance() < 0.5 ? 'TypeError' : 'RangeError';
    const run = chance() < 0.5 ? ONE : TWO;
    const text = trace(type, `no ${round}`);
    const cut = Math.floor(chance() * 3);
    const lines = text.split(/(?<=\n)/);
    write([run, `${'x'.repeat(Math.floor(chance() * 300))}\n`], [run, lines.slice(0, cut + 1).join('')]);
    if (chance() < 0.6) errors.hasNews();
    if (chance() < 0.6) errors.readOn();
    if (chance() < 0.5) errors.commit(chance() < 0.5);
    if (chance() < 0.1) errors = open();
    write([run, `${lines.slice(cut + 1).join('')}ok\n`]);
    written[type]++;
    if (chance() < 0.1) errors = open();
    if (chance() < 0.02) {
      readAll(errors);
      rotate();
    }
    now += 10;
  }
  readAll(errors);
  const found = Object.fromEntries(errors.book.kinds.map(({ type, count }) => [type, count]));
  assert.deepEqual(found, written);
  assert.equal(told.length, 2);
  assert.deepEqual(Object.values(counts(open())), Object.values(counts(errors)));
});

test('a file that was seen before its index is found again', () => {
  let errors = open();
  write([ONE, trace('TypeError', 'a')]);
  readAll(errors);
  rotate();
  writeFileSync(log.files.path(0), '');
  readAll(errors);
  write([ONE, trace('TypeError', 'b')]);
  readAll(errors);
  errors = open();
  readAll(errors);
  assert.deepEqual(Object.values(counts(errors)), [2]);
});

test('what was rotated and compressed meanwhile is read on, from where it was', () => {
  let errors = open();
  write([ONE, trace('TypeError', 'a')]);
  readAll(errors);
  errors.close();
  write([ONE, trace('TypeError', 'b')]);
  rotate();
  write([ONE, trace('TypeError', 'c')]);
  rotate();
  write([ONE, trace('TypeError', 'd')]);
  archive(2);
  errors = open();
  readAll(errors);
  assert.deepEqual([Object.values(counts(errors)), errors.skipped], [[4], { bytes: 0, isExact: true }]);
});

test('what is gone before it was read is said to be missing', () => {
  let errors = open();
  write([ONE, trace('TypeError', 'a')]);
  readAll(errors);
  errors.close();
  for (let count = 0; count < 3; count++) {
    rotate();
    write([ONE, trace('TypeError', 'b')]);
  }
  rmSync(log.files.path(2));
  rmSync(log.files.indexPath(2), { force: true });
  errors = open();
  readAll(errors);
  assert.equal(errors.skipped.isExact, false);
});

test('what grows too fast is left out, and how much that was is known to the byte', () => {
  const errors = open();
  const line = `${'x'.repeat(99)}\n`;
  write([ONE, trace('TypeError', 'a')]);
  readAll(errors);
  const before = size;
  for (let file = 0; file < 2; file++) {
    write([ONE, line.repeat(30_000)]);
    if (file === 0) rotate();
  }
  write([ONE, trace('RangeError', 'b')]);
  errors.hasNews();
  errors.skip(1_000_000, 100_000);
  readAll(errors);
  assert.deepEqual(Object.values(counts(errors)), [1, 1]);
  const rest = 100_000;
  const all = statSync(log.files.path(1)).size - before + statSync(log.files.path(0)).size;
  const { bytes, isExact } = errors.skipped;
  assert.ok(isExact && bytes >= all - rest && bytes < all - rest + line.length, `${bytes} of ${all}`);
});

test('a service that was never looked at begins with what comes', () => {
  write([ONE, trace('TypeError', 'old')]);
  const errors = open();
  write([ONE, trace('RangeError', 'new')]);
  readAll(errors);
  assert.deepEqual(
    errors.book.kinds.map(({ type }) => type),
    ['RangeError'],
  );
});

test('a log that was truncated is read from its beginning', () => {
  const errors = open();
  write([ONE, trace('TypeError', 'a').repeat(3)]);
  readAll(errors);
  rmSync(log.files.indexPath(0));
  writeFileSync(log.files.path(0), '');
  size = 0;
  write([ONE, trace('TypeError', 'b')]);
  readAll(errors);
  assert.deepEqual(Object.values(counts(errors)), [4]);
});

test('a log that somebody else writes to is read, too, whoever wrote it', () => {
  const errors = open();
  appendFileSync(log.files.path(), trace('TypeError', 'a'));
  readAll(errors);
  assert.deepEqual(
    errors.book.kinds.map(({ count, attempts }) => [count, attempts]),
    [[1, []]],
  );
});

test('what Node prints above an exception that nobody caught belongs to its sample', () => {
  const errors = open();
  const lead = '/srv/app/db.js:10\n  throw new TypeError("no")\n  ^\n\n';
  write([ONE, `${'noise\n'.repeat(50)}`], [ONE, `${lead}${trace('TypeError', 'no')}\nNode.js v20.20.2\n`]);
  readAll(errors);
  const [kind] = errors.book.kinds;
  assert.deepEqual([kind!.count, errors.book.kinds.length], [1, 1]);
  assert.equal(errors.sample(kind!.id)!.lines[0], '/srv/app/db.js:10');
});

test('where nothing can be written, counting goes on in memory, and that is said once', () => {
  mkdirSync(join(log.folder, 'errors', 'kinds.json.new'), { recursive: true });
  symlinkSync('/nowhere/kinds.jsonl', join(log.folder, 'errors', 'kinds.jsonl'));
  const errors = open();
  write([ONE, trace('TypeError', 'a')]);
  readAll(errors);
  write([ONE, trace('TypeError', 'b')]);
  readAll(errors);
  assert.deepEqual([Object.values(counts(errors)), warnings.length], [[2], 1]);
});

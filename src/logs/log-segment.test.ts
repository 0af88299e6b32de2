import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import type { LogRun, Mark } from './log-index.js';
import { LogSegment } from './log-segment.js';
import { WrittenLog } from './written-log.js';

const FIRST: LogRun = { instance: 0, attempt: 1, begunAt: 1000 };
const SECOND: LogRun = { instance: 1, attempt: 7, begunAt: 2000 };

let log: WrittenLog;

beforeEach(() => (log = new WrittenLog()));
afterEach(() => log.remove());

test('lines come with who wrote them; what one attempt wrote in a row stays together', () => {
  const segment = open('one\ntwo\nthree\nfour\n', [
    mark(FIRST, 0),
    mark(FIRST, 4),
    mark(SECOND, 8),
    mark(FIRST, 14),
  ]);
  assert.deepEqual(read(segment), [
    [0, 'one\ntwo\n'],
    [1, 'three\n'],
    [0, 'four\n'],
  ]);
  segment.close();
});

test('what stands before the first mark is nobody’s', () => {
  const segment = open('one\ntwo\n', [mark(SECOND, 4)]);
  assert.deepEqual(read(segment), [
    [null, 'one\n'],
    [1, 'two\n'],
  ]);
  segment.close();
});

test('an unfinished line waits for its end', () => {
  const segment = open('one\ntw', [mark(FIRST, 0)]);
  assert.deepEqual(read(segment), [[0, 'one\n']]);
  assert.deepEqual(read(segment), []);
  writeFileSync(log.files.path(), 'o\n', { flag: 'a' });
  assert.deepEqual(read(segment), [[0, 'two\n']]);
  segment.close();
});

test('marks of lines that were cut away by a truncation do not hold', () => {
  const marks = [mark(FIRST, 0), mark(SECOND, 4), mark(SECOND, 900), mark(FIRST, 8), mark(SECOND, 14)];
  const segment = open('one\ntwo\nthree\nfour\n', marks);
  assert.equal(segment.tail(FIRST, 100).toString(), 'one\nthree\n');
  assert.equal(segment.tail(SECOND, 100).toString(), 'two\nfour\n');
  assert.deepEqual(
    read(segment).map(([instance]) => instance),
    [0, 1, 0, 1],
  );
  segment.close();
});

test('the tail of an attempt is what it wrote last, up to so many bytes', () => {
  const segment = open('one\ntwo\nthree\nfour\n', [mark(FIRST, 0), mark(SECOND, 8), mark(FIRST, 14)]);
  assert.equal(segment.tail(FIRST, 7).toString(), 'o\nfour\n');
  assert.equal(segment.tail(SECOND, 100).toString(), 'three\n');
  assert.equal(segment.tail({ ...SECOND, attempt: 8 }, 100).toString(), '');
  segment.close();
});

test('an index that belongs to another file is none', () => {
  const segment = open('one\n', [mark(FIRST, 0)], { isForeign: true });
  assert.deepEqual(read(segment), [[null, 'one\n']]);
  segment.close();
});

test('thousands of marks are read backwards as forwards', () => {
  const count = 10_000;
  const text = Array.from({ length: count }, (_, index) => `${index}\n`);
  let offset = 0;
  const marks = text.map((line, index) => {
    const at = offset;
    offset += line.length;
    return mark(index % 2 === 0 ? FIRST : SECOND, at);
  });
  const segment = open(text.join(''), marks);
  const odd = text.filter((_, index) => index % 2 === 1).join('');
  assert.ok(segment.tail(SECOND, 1_000_000).equals(Buffer.from(odd)));
  assert.equal(read(segment).length, count);
  segment.close();
});

function open(text: string, marks: readonly Mark[], options: { isForeign?: boolean } = {}): LogSegment {
  log.write(0, text, marks, { ...options, hasJumped: true });
  return LogSegment.open(log.files, 0)!;
}

function mark(run: LogRun, offset: number): Mark {
  return { ...run, offset, at: 10_000 + offset };
}

function read(segment: LogSegment): [number | null, string][] {
  return segment.read().map(({ run, lines }) => [run?.instance ?? null, lines.toString()]);
}

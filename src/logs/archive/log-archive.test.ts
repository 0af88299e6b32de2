import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import type { Mark } from '../log-index.js';
import { LogReader } from '../log-reader.js';
import { LogSegment } from '../log-segment.js';
import { WrittenLog } from '../written-log.js';
import { compress } from './compress.js';
import { decodeMarks, encodeMarks } from './marks.js';

const RUN = { instance: 0, attempt: 1, begunAt: 1_700_000_000_000 };
const OTHER = { instance: 3, attempt: 40, begunAt: 1_700_000_500_000 };
let log: WrittenLog;

beforeEach(() => (log = new WrittenLog()));
afterEach(() => log.remove());

/** Lines of ten bytes, a mark for every tenth, by two writers. */
function write(number: number, lines: number): { text: string; marks: Mark[] } {
  const text = Array.from({ length: lines }, (_, index) => `${String(index).padStart(9, '0')}\n`).join('');
  const marks = Array.from({ length: Math.ceil(lines / 10) }, (_, index) => ({
    ...(index % 3 === 0 ? OTHER : RUN),
    at: RUN.begunAt + 1_000_000 + index * 50,
    offset: index * 100,
  }));
  log.write(number, text, marks);
  return { text, marks };
}

/** As the compressor does it. */
function archive(number: number): void {
  const segment = LogSegment.open(log.files, number)!;
  writeFileSync(log.files.archivePath(number), Buffer.concat([...compress(segment)]));
  segment.close();
  rmSync(log.files.path(number));
  rmSync(log.files.indexPath(number), { force: true });
}

test('an archive answers what the file did: lines, marks, times, places', () => {
  const { text, marks } = write(1, 300_000);
  const plain = LogSegment.open(log.files, 1)!;
  const { id } = plain;
  archive(1);
  const packed = LogSegment.open(log.files, 1)!;
  assert.deepEqual([packed.id, packed.size, packed.range], [id, plain.size, plain.range]);
  assert.equal(plain.place(), 1, 'who has it open knows it again');
  for (const [from, to] of [
    [0, 25],
    [1_048_560, 1_048_700],
    [2_999_990, 4_000_000],
    [0, text.length],
  ] as const) {
    assert.ok(packed.bytes(from, to).equals(plain.bytes(from, to)), `bytes ${from} to ${to}`);
    assert.equal(packed.bytes(from, to).toString(), text.slice(from, to));
  }
  for (const at of [
    0,
    marks[0]!.at,
    marks[11_000]!.at - 1,
    marks[11_000]!.at,
    marks[11_000]!.at + 1,
    marks.at(-1)!.at + 1,
  ])
    assert.equal(packed.offsetAt(at), plain.offsetAt(at), `the place of ${at}`);
  assert.equal(packed.offsetAt(marks[11_000]!.at), marks[11_000]!.offset);
  assert.deepEqual(packed.marks(1000, 1250), plain.marks(1000, 1250));
  assert.deepEqual(plain.marks(1000, 1250), marks.slice(10, 13));
  assert.ok(packed.tail(OTHER, 500).equals(plain.tail(OTHER, 500)));
  assert.deepEqual(pieces(packed), pieces(plain));
  packed.close();
  plain.close();
});

test('zcat, gzip -t and zgrep read it', () => {
  const { text } = write(1, 200_000);
  archive(1);
  const path = log.files.archivePath(1);
  execFileSync('gzip', ['-t', path]);
  assert.equal(execFileSync('zcat', [path], { maxBuffer: 2 ** 24 }).toString(), text);
  assert.equal(execFileSync('zgrep', ['-c', '9999$', path]).toString(), '20\n');
});

test('a reader goes on from a file to its archive and from there to the next file', () => {
  write(0, 10);
  const reader = LogReader.atEnd(log.files);
  log.write(0, '000000010\n', [{ ...RUN, at: RUN.begunAt + 9_000_000, offset: 100 }], { isAppended: true });
  log.moveOn(0);
  log.moveOn(1);
  archive(2);
  log.write(1, 'second file\n', [{ ...RUN, at: RUN.begunAt + 9_000_100, offset: 0 }]);
  archive(1);
  log.write(0, 'third file\n', [{ ...RUN, at: RUN.begunAt + 9_000_200, offset: 0 }]);
  const read: string[] = [];
  for (let found = reader.read(); found.length > 0; found = reader.read())
    read.push(...found.map(({ lines }) => lines.toString()));
  assert.deepEqual(read, ['000000010\n', 'second file\n', 'third file\n']);
  reader.close();
});

test('where the clock was set back, times are found in the order of the lines', () => {
  const times = [5000, 6000, 2000, 3000, 7000];
  const marks = times.map((at, index) => ({ ...RUN, at, offset: index * 10 }));
  log.write(1, 'x'.repeat(49) + '\n', marks, { hasJumped: true });
  const expected = [
    [1000, 0],
    [5500, 10],
    [6500, 40],
    [8000, 50],
  ] as const;
  const plain = LogSegment.open(log.files, 1)!;
  for (const [at, offset] of expected) assert.equal(plain.offsetAt(at), offset);
  assert.deepEqual(plain.range, { from: 2000, to: 7000 });
  plain.close();
  archive(1);
  const packed = LogSegment.open(log.files, 1)!;
  for (const [at, offset] of expected) assert.equal(packed.offsetAt(at), offset);
  assert.deepEqual(packed.range, { from: 2000, to: 7000 });
  packed.close();
});

test('a log without an index is compressed as well; of when it was written nothing is known', () => {
  log.write(1, 'one\ntwo', undefined);
  archive(1);
  const packed = LogSegment.open(log.files, 1)!;
  assert.deepEqual(
    [packed.bytes(0, 100).toString(), packed.range, packed.offsetAt(0)],
    ['one\ntwo', undefined, 7],
  );
  packed.close();
});

test('members are shorter where marks are many', () => {
  const marks = Array.from({ length: 60_000 }, (_, index) => ({
    ...(index % 2 === 0 ? RUN : OTHER),
    at: RUN.begunAt + index,
    offset: index * 2,
  }));
  log.write(1, 'x\n'.repeat(60_000), marks);
  archive(1);
  const packed = LogSegment.open(log.files, 1)!;
  assert.deepEqual(packed.marks(0, 120_000), marks);
  assert.equal(packed.bytes(0, 120_000).toString(), 'x\n'.repeat(60_000));
  packed.close();
});

test('a file that somebody else compressed is none', () => {
  log.write(1, 'one\n', undefined);
  execFileSync('gzip', [log.files.path(1)]);
  assert.equal(LogSegment.open(log.files, 1), undefined);
});

test('marks come out as they went in', () => {
  const time = fc.integer({ min: 0, max: 2 ** 45 });
  const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const step = fc.record({ instance: number, attempt: number, begunAt: time, at: time, by: fc.nat(1e6) });
  fc.assert(
    fc.property(fc.array(step), fc.nat(1e12), (steps, from) => {
      let offset = from;
      const marks = steps.map(({ by, ...mark }) => ({ ...mark, offset: (offset += by) }));
      assert.deepEqual(decodeMarks(encodeMarks(marks, from), from), marks);
    }),
  );
});

function pieces(segment: LogSegment): string[] {
  const all: { key: string; text: string }[] = [];
  for (let read = segment.read(); read.length > 0; read = segment.read())
    for (const { run, lines } of read) {
      const key = `${run?.instance}.${run?.attempt}`;
      if (all.at(-1)?.key === key) all.at(-1)!.text += lines.toString();
      else all.push({ key, text: lines.toString() });
    }
  return all.map(({ key, text }) => `${key} ${text}`);
}

import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { LogEntry } from '../../protocol/index.js';
import { compress } from '../archive/compress.js';
import type { LogRun, Mark } from '../log-index.js';
import { LogSegment } from '../log-segment.js';
import { WrittenLog } from '../written-log.js';
import { Answer } from './answer.js';
import type { LogQuestion } from './question.js';
import { reply } from './reply.js';

const BEGUN = 1_790_000_000_000;
const TRACE = [
  'TypeError: x is undefined',
  '    at run (/srv/app/db.js:10:5)',
  '    at /srv/app/index.js:3:1',
];

let written: WrittenLog[] = [];
let folder = '';

beforeEach(() => {
  written = [];
  folder = mkdtempSync(join(tmpdir(), 'upkeep-answer-'));
});
afterEach(() => {
  for (const log of written) log.remove();
  rmSync(folder, { recursive: true });
});

test('services and instances are merged by time; what one wrote keeps its order', () => {
  const api = log(0, [
    [10, 0, 'a1\na2\n'],
    [30, 1, 'b1\n'],
    [50, 0, 'a3\n'],
  ]);
  const web = log(0, [
    [5, 0, 'w1\n'],
    [30, 0, 'w2\nw3\n'],
    [60, 0, 'w4\n'],
  ]);
  const entries = ask([api, web], {});
  assert.deepEqual(texts(entries), ['w1', 'a1', 'a2', 'b1', 'w2', 'w3', 'a3', 'w4']);
  assert.deepEqual(entries.map(({ at, instance }) => [Date.parse(at!) - BEGUN, instance]).slice(0, 4), [
    [5, 0],
    [10, 0],
    [10, 0],
    [30, 1],
  ]);
});

test('the last n are those of all together, however many there are', () => {
  const logs = [0, 1, 2].map((service) =>
    log(
      0,
      Array.from({ length: 60 }, (_, index) => [index * 3 + service * 7, 0, `${service}.${index}\n`]),
    ),
  );
  const all = texts(ask(logs, {}));
  assert.equal(all.length, 180);
  for (const last of [0, 1, 2, 7, 59, 60, 61, 179, 180, 500])
    assert.deepEqual(texts(ask(logs, { last })), last === 0 ? [] : all.slice(-last), `the last ${last}`);
});

test('lines of the same time are cut off by their number', () => {
  const logs = [0, 1].map((service) =>
    log(0, [[10, 0, [0, 1, 2, 3].map((n) => `${service}.${n}\n`).join('')]]),
  );
  const all = texts(ask(logs, {}));
  for (let last = 1; last < 8; last++) assert.deepEqual(texts(ask(logs, { last })), all.slice(-last));
});

test('a time is asked for by the index', () => {
  const api = log(0, [
    [100, 0, 'one\n'],
    [200, 0, 'two\n'],
    [300, 0, 'three\n'],
  ]);
  assert.deepEqual(texts(ask([api], { since: BEGUN + 200 })), ['two', 'three']);
  assert.deepEqual(texts(ask([api], { until: BEGUN + 200 })), ['one']);
  assert.deepEqual(texts(ask([api], { since: BEGUN + 101, until: BEGUN + 300 })), ['two']);
  assert.deepEqual(texts(ask([api], { around: { at: BEGUN + 200, count: 1 } })), ['one', 'two']);
});

test('rotated and compressed files are read in their order', () => {
  const api = log(2, [
    [100, 0, 'one\n'],
    [150, 0, 'two\n'],
  ]);
  write(api, 1, [[200, 0, 'three\n']]);
  write(api, 0, [[300, 0, 'four\n']]);
  archive(api, 2);
  assert.deepEqual(texts(ask([api], {})), ['one', 'two', 'three', 'four']);
  assert.deepEqual(texts(ask([api], { last: 3 })), ['two', 'three', 'four']);
  assert.deepEqual(texts(ask([api], { since: BEGUN + 150, until: BEGUN + 250 })), ['two', 'three']);
  assert.deepEqual(texts(ask([api], { grep: { pattern: 't[wh]', ignoresCase: false } })), ['two', 'three']);
});

test('a stack trace is one entry, found by any of its lines, also where others write in between', () => {
  const api = log(0, [
    [10, 0, `hello\n${TRACE[0]}\n`],
    [20, 1, 'from another\n'],
    [30, 0, `${TRACE[1]}\n${TRACE[2]}\nworld\n`],
  ]);
  const whole = TRACE.join('\n');
  assert.deepEqual(texts(ask([api], {})), ['hello', whole, 'from another', 'world']);
  for (const pattern of ['TypeError', 'db\\.js', 'index'])
    assert.deepEqual(texts(ask([api], { grep: { pattern, ignoresCase: false } })), [whole], pattern);
  assert.deepEqual(texts(ask([api], { instance: 1 })), ['from another']);
  assert.deepEqual(texts(ask([api], { last: 2 })), ['from another', 'world']);
});

test('a level is that or worse, of JSON, of plain text, and of exceptions', () => {
  const lines = [
    '{"level":30,"msg":"fine"}',
    '{"level":40,"msg":"hm"}',
    '{"level":"error","message":"winston"}',
    '2026-11-29 10:00:00 WARN plain',
    '[info] more',
    'E1129 10:00:00.123456    1 server.go:12] klog',
    '<11>syslog',
    ...TRACE,
    'an error that is only spoken of',
  ];
  const api = log(0, [[10, 0, `${lines.join('\n')}\n`]]);
  const worse = [lines[1], lines[2], lines[3], lines[5], lines[6], TRACE.join('\n')];
  assert.deepEqual(texts(ask([api], { level: 'warn' })), worse);
  assert.deepEqual(texts(ask([api], { level: 'error' })), [lines[2], lines[5], lines[6], TRACE.join('\n')]);
  assert.deepEqual(texts(ask([api], { level: 'info' })).length, worse.length + 2);
  const [json] = ask([api], { level: 'warn' });
  assert.deepEqual([json!.level, json!.message, json!.fields], ['warn', 'hm', { level: 40, msg: 'hm' }]);
});

test('bytes come as they are', () => {
  const api = log(0, []);
  const bytes = Buffer.from([0xff, 0x00, 0x1b, 0xc3, 0xa4, 0x0d]);
  writeFileSync(api.files.path(0), Buffer.concat([bytes, Buffer.from('\n')]));
  const [entry] = ask([api], { encoding: 'latin1' });
  assert.ok(Buffer.from(entry!.lines[0]!, 'latin1').equals(bytes));
  assert.equal(entry!.at, null);
});

test('a search in megabytes finds what a search line by line finds', () => {
  const filler = (index: number): string => `${index} ${'x'.repeat((index * 7919) % 300)}`;
  const lines = Array.from({ length: 30_000 }, (_, index) => {
    if (index % 997 === 3) return `needle ${index}`;
    if (index % 1499 === 5)
      return [`Error: needle ${index}`, '    at f (a.js:1:2)', '    at g (a.js:3:4)'].join('\n');
    if (index % 2999 === 6) return `{"level":50,"msg":"needle é ${index}"}`;
    return filler(index);
  });
  const marks: [number, number, string][] = [];
  for (let at = 0; at < lines.length; at += 10)
    marks.push([
      at,
      (at / 10) % 3,
      lines
        .slice(at, at + 10)
        .join('\n')
        .concat('\n'),
    ]);
  const api = log(0, marks);
  for (const pattern of ['needle', 'needle \\d+5$', '[n]eedle .*7', 'é', 'g \\(a\\.js']) {
    const expression = new RegExp(pattern, 'm');
    const found = texts(ask([api], { grep: { pattern, ignoresCase: false } }));
    assert.deepEqual(
      found,
      lines.filter((line) => expression.test(line)),
      pattern,
    );
    assert.deepEqual(texts(ask([api], { grep: { pattern, ignoresCase: false }, last: 5 })), found.slice(-5));
  }
});

type Piece = readonly [at: number, instance: number, text: string];

/** One service whose file `number` is this. */
function log(number: number, pieces: readonly Piece[]): WrittenLog {
  const made = new WrittenLog();
  written.push(made);
  write(made, number, pieces);
  return made;
}

function write(made: WrittenLog, number: number, pieces: readonly Piece[]): void {
  let offset = 0;
  const marks = pieces.map(([at, instance, text]): Mark => {
    const run: LogRun = { instance, attempt: 1, begunAt: BEGUN };
    const mark = { ...run, at: BEGUN + at, offset };
    offset += Buffer.byteLength(text);
    return mark;
  });
  made.write(number, pieces.map(([, , text]) => text).join(''), marks);
}

function archive({ files }: WrittenLog, number: number): void {
  const segment = LogSegment.open(files, number)!;
  writeFileSync(files.archivePath(number), Buffer.concat([...compress(segment)]));
  segment.close();
  rmSync(files.path(number));
  rmSync(files.indexPath(number));
}

function ask(logs: readonly WrittenLog[], asked: Partial<LogQuestion>): LogEntry[] {
  const path = join(folder, 'answer');
  const fd = openSync(path, 'w');
  reply(
    {
      folder: dirname(logs[0]!.folder),
      services: logs.map((each) => basename(each.folder)),
      streams: ['out', 'err'],
      instance: null,
      since: null,
      until: null,
      grep: null,
      level: null,
      last: null,
      around: null,
      follow: 'no',
      encoding: 'utf8',
      ...asked,
    },
    new Answer(fd),
  );
  closeSync(fd);
  const blocks = readFileSync(path, 'utf8').split('\n\n').slice(0, -1);
  return blocks
    .filter((block) => block !== ':')
    .map((block) => JSON.parse(block.slice('data: '.length)) as LogEntry);
}

function texts(entries: readonly LogEntry[]): string[] {
  return entries.map(({ lines }) => lines.join('\n'));
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KindFinder, readError, type ErrorReport } from './index.js';
import { strike } from '../errors/strike.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 20) };

const word = fc.stringMatching(/^[a-z]{2,8}$/);
const number = fc.nat(100_000);
const type = fc.constantFrom('TypeError', 'RangeError', 'QueryError', 'Error', 'HttpError');
const release = fc
  .tuple(fc.constantFrom('/srv/shop/releases/', '/opt/', '/home/shop/'), number)
  .map(([root, n]) => `${root}${n}`);

interface Shape {
  readonly type: string;
  readonly message: readonly [string, string];
  readonly frames: readonly (readonly [called: string, file: string])[];
}
const shape: fc.Arbitrary<Shape> = fc.record({
  type,
  message: fc.tuple(word, word),
  frames: fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 8 }),
});
/** What differs between two times, releases and machines. */
const occasion = fc.record({ release, id: number, uuid: fc.uuid(), line: fc.integer({ min: 1, max: 5000 }) });
type Occasion = typeof occasion extends fc.Arbitrary<infer T> ? T : never;

function stackOf(
  { type: name, message, frames }: Shape,
  { release: root, id, uuid, line }: Occasion,
): string[] {
  return [
    `${name}: ${message[0]} ${id} of ${message[1]} ${uuid} failed`,
    ...frames.map(
      ([called, file], index) => `    at ${called} (${root}/src/${file}.js:${line + index}:${line})`,
    ),
    `    at Module._compile (node:internal/modules/cjs/loader:${line}:14)`,
    `    at next (${root}/node_modules/koa-${id}/index.js:${line}:1)`,
  ];
}

function kindOf(finder: KindFinder, record: readonly string[]): string {
  const report = readError(record, 'err');
  assert.ok(report, record.join('\n'));
  return finder.find(report).id;
}

test('the kind of a stack does not change with lines, ids and the folder of the release', () => {
  fc.assert(
    fc.property(shape, occasion, occasion, (each, one, other) =>
      assert.equal(
        kindOf(new KindFinder(), stackOf(each, one)),
        kindOf(new KindFinder(), stackOf(each, other)),
      ),
    ),
    parameters,
  );
});

test('the kind of a message does not change with what is in it of numbers, ids, addresses and times', () => {
  const variable = fc.oneof(
    number.map(String),
    fc.uuid(),
    fc.ipV4(),
    fc.emailAddress().map((address) => address.replaceAll(/[^\w@.-]/g, 'x')),
    fc
      .date({ noInvalidDate: true, min: new Date('1990-01-01'), max: new Date('2090-01-01') })
      .map((date) => date.toISOString()),
    number.map((n) => `https://shop.example.com/orders/${n}?page=2`),
    number.map((n) => `/var/lib/shop/${n}.json`),
    number.map((n) => `0x${n.toString(16)}`),
  );
  fc.assert(
    fc.property(word, word, variable, variable, (before, after, one, other) => {
      const line = (value: string): string[] => [
        `ERROR: could not ${before} the order ${value} while ${after}`,
      ];
      assert.equal(kindOf(new KindFinder(), line(one)), kindOf(new KindFinder(), line(other)));
    }),
    parameters,
  );
});

test('exceptions of different types are never of one kind', () => {
  const occasions = fc.array(fc.tuple(shape, occasion, fc.boolean()), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(occasions, (all) => {
      const finder = new KindFinder();
      const typesOf = new Map<string, Set<string>>();
      const found = all.map(([each, when, hasStack]) => {
        const record = stackOf(each, when);
        return [kindOf(finder, hasStack ? record : record.slice(0, 1)), each.type] as const;
      });
      for (const [id, name] of found) {
        const now = finder.idNow(id);
        typesOf.set(now, (typesOf.get(now) ?? new Set()).add(name));
      }
      for (const types of typesOf.values()) assert.equal(types.size, 1, [...types].join(' and '));
    }),
    parameters,
  );
});

test('a place with many values becomes one that varies, and earlier kinds are found under the oldest id', () => {
  const finder = new KindFinder();
  const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace'];
  const ids = names.map((name) => kindOf(finder, [`ERROR: payment of customer ${name} was declined`]));
  assert.equal(new Set(ids.slice(0, 2)).size, 2);
  assert.deepEqual(new Set(ids.map((id) => finder.idNow(id))), new Set([ids[0]]));
  const states = ['started', 'stopped'].map((state) =>
    kindOf(finder, [`ERROR: machine has ${state} without order`]),
  );
  assert.notEqual(states[0], states[1]);
});

test('what was saved is found again with the same ids, also after a way through JSON', () => {
  const messages = fc.array(fc.tuple(word, word, word), { minLength: 1, maxLength: 80 });
  fc.assert(
    fc.property(messages, (all) => {
      const finder = new KindFinder();
      const records = all.map(([one, two, three]) => [`ERROR: ${one} failed to ${two} with ${three}`]);
      const ids = records.map((record) => kindOf(finder, record));
      const again = new KindFinder(JSON.parse(JSON.stringify(finder.save())));
      for (const [index, record] of records.entries())
        assert.equal(again.idNow(kindOf(again, record)), finder.idNow(ids[index]!));
    }),
    parameters,
  );
});

test('what is remembered has a bound', () => {
  const finder = new KindFinder();
  const letters = (n: number): string =>
    n.toString(26).replaceAll(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)]!);
  for (let n = 0; n < 20_000; n++) {
    const report = { type: null, at: null, frames: [], causes: [], level: null };
    finder.find({
      ...report,
      message: `${letters(n)} ${letters(n * 7)} ${letters(n * 31)} ${letters(n * 131)}`,
    });
  }
  assert.ok(JSON.stringify(finder.save()).length < 1_000_000);
});

test('something else than what was saved is as if nothing was', () => {
  const report: ErrorReport = { type: null, message: 'x', at: null, frames: [], causes: [], level: null };
  const { id } = new KindFinder().find(report);
  for (const saved of [null, 7, 'x', {}, { version: 'v0', templates: [], replaced: [] }])
    assert.equal(new KindFinder(saved).find(report).id, id);
});

test('the quick look overlooks no error', () => {
  const level = fc.constantFrom<unknown>(
    'error',
    'ERROR',
    'Fatal',
    'critical',
    'emerg',
    'severe',
    50,
    60,
    0,
    3,
    30,
    'info',
  );
  const json = fc
    .record({
      key: fc.constantFrom('level', 'severity', 'lvl', '@l', 'loglevel'),
      level,
      message: fc.string(),
    })
    .map(({ key, level: value, message }) => [JSON.stringify({ [key]: value, msg: message })]);
  const withError = fc
    .tuple(fc.constantFrom('err', 'error', 'exception', 'exc'), word, level)
    .map(([key, message, value]) => [JSON.stringify({ level: value, [key]: { message, name: 'Bad' } })]);
  const prefix = fc.constantFrom(
    '',
    '[',
    '<11>',
    'E1129 01:02:03.1 1 a.go:1] ',
    '2026-11-29 01:02:03 ',
    'npm ',
    'level=',
  );
  const named = fc.constantFrom(
    'ERROR',
    'error',
    'Err',
    'FTL',
    'crit',
    'ALERT',
    'panic',
    'fail',
    'SEVERE',
    'ERR!',
    'Emerg',
  );
  const plain = fc
    .tuple(prefix, named, fc.constantFrom(':', ']', ' ', ''), fc.string())
    .map((parts) => [parts.join('')]);
  const custom = fc
    .tuple(
      fc.constantFrom('Bad', 'Trouble', 'shop.Trouble'),
      word,
      fc.constantFrom('    ', '\t', '   ', '      '),
    )
    .map(([name, message, indent]) => [`${name}: ${message}`, `${indent}at run (/srv/a.js:1:1)`]);
  const thrown = fc.constantFrom('^', '  ^', '\t^').map((caret) => ['/srv/a.js:1', 'throw 1', caret, '1']);
  const pieces = fc.array(
    fc.constantFrom(
      'Traceback (most recent call last):',
      '  File "a.py", line 1, in x',
      'Bad',
      'goroutine 1 [running]:',
      'panic: x',
      "thread 'main' panicked at a.rs:1:1:",
      '    at x (/a.js:1:1)',
      '^',
      '/a.js:1',
      'Nope: x',
      '',
      'Aborted',
      '*** x ***',
      'Bus error',
      'Uncaught 7',
    ),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(
    fc.property(fc.oneof(json, withError, plain, custom, thrown, pieces), (record) => {
      if (readError(record, 'err')) assert.ok(strikes(record.join('\n')), record.join('\n'));
    }),
    { numRuns: parameters.numRuns * 4 },
  );
});

test('the quick look passes over ordinary lines', () => {
  const lines = [
    'GET /api/users 200 5ms',
    '{"level":30,"msg":"request completed"}',
    '2026-11-29 01:02:03 INFO ready',
  ];
  for (const line of lines) assert.equal(strikes(`${line}\n`), false, line);
});

function strikes(text: string): boolean {
  return strike(Buffer.from(text), 0) >= 0;
}

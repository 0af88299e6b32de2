/** Records of real traces, whole and understood; test/fixtures/traces/README.md says where they are from. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RecordAssembler } from '../record/index.js';
import { readError, type ErrorReport } from './index.js';
import { strike } from '../errors/strike.js';

const FOLDER = new URL('../../../test/fixtures/traces/', import.meta.url);
const names = readdirSync(FOLDER).filter((file) => file.endsWith('.txt'));

/** The errors in a file: type, message, place, causes. */
type Expected = readonly (readonly [
  type: string | null,
  message: string,
  at: string | null,
  causes?: string[],
])[];

const OF_NODE = "Cannot read properties of undefined (reading 'models')";
const OF_OLD_NODE = "Cannot read property 'models' of undefined";
const NO_FILE = "ENOENT: no such file or directory, open '/nope'";
const POOL = 'java.lang.IllegalStateException: pool closed';
const ORDER = 'shop.App$OrderException';
const NO_KEY: Expected[number] = ['KeyError', "'key'", 'p.py:3'];
const UNWRAPPED = 'called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }';

const EXPECTED: Readonly<Record<string, Expected>> = {
  'node-sync': [['TypeError', OF_NODE, 'a.js:2']],
  'node7-sync': [['TypeError', OF_OLD_NODE, 'a.js:2']],
  'node10-sync': [['TypeError', OF_OLD_NODE, 'a.js:2']],
  'node14-sync': [['TypeError', OF_OLD_NODE, 'a.js:2']],
  'node24-sync': [['TypeError', OF_NODE, 'a.js:2']],
  'node-async': [['QueryError', 'select failed', 'a.js:4', ['TypeError: boom', 'Error: root']]],
  'node24-async': [['QueryError', 'select failed', 'a.js:4', ['TypeError: boom', 'Error: root']]],
  'node7-async': [['QueryError', 'select failed', null]],
  'node10-async': [['QueryError', 'select failed', 'a.js:4']],
  'node14-async': [['QueryError', 'select failed', 'a.js:4']],
  'node-listen': [['Error', 'listen EADDRINUSE: address already in use :::44825', 'a.js:27']],
  'node7-listen': [['Error', 'listen EADDRINUSE :::37257', 'a.js:27']],
  'node10-listen': [['Error', 'listen EADDRINUSE: address already in use :::38315', 'a.js:27']],
  'node14-listen': [['Error', 'listen EADDRINUSE: address already in use :::46567', 'a.js:27']],
  'node24-listen': [['Error', 'listen EADDRINUSE: address already in use :::36509', 'a.js:27']],
  'node-agg': [
    [
      'AggregateError',
      'All promises were rejected',
      'a.js:8',
      ['Error: one', 'QueryError: select failed', 'TypeError: boom', 'Error: root'],
    ],
  ],
  'node-aggnest': [['AggregateError', 'outer', 'a.js:25', ['Error: c', 'Error: a', 'AggregateError: inner']]],
  'node-code': [['Error', 'nope', 'a.js:9']],
  'node-log': [['QueryError', 'x', 'a.js:10', ['Error: y']]],
  'node-logcode': [['Error', NO_FILE, null]],
  'node-throwobj': [[null, "{ a: 1, b: 'two' }", 'a.js:12']],
  'node-throwstr': [[null, 'a string', 'a.js:13']],
  'node-syntax': [['SyntaxError', "Unexpected token ';'", 'bad.js:1']],
  'node-enoent': [['Error', NO_FILE, 'a.js:18']],
  'node-nomod': [['Error', "Cannot find module './nomod'", 'a.js:19']],
  'node-assert': [['AssertionError', 'Expected values to be strictly deep-equal:', 'a.js:20']],
  'node-nested': [['Error', 'in object', 'a.js:24']],
  'node-array': [['Error', 'x', 'a.js:31']],
  'node-multi': [['Error', 'line one', 'a.js:26']],
  'node-eval': [['RangeError', 'from eval', 'a.js:29']],
  'node-warn': [],
  'node-trace': [],
  'python-sync': [NO_KEY],
  'python-thread': [NO_KEY],
  'python-chain': [['Bad', 'wrapped', 'p.py:6', ["KeyError: 'key'"]]],
  'python-log': [['Bad', 'wrapped', 'p.py:6', ["KeyError: 'key'"]]],
  'python-during': [['ValueError', 'while handling', 'p.py:9', ["KeyError: 'key'"]]],
  'python-group': [
    ['ExceptionGroup', 'many (2 sub-exceptions)', 'p.py:14', ['ValueError: a', 'TypeError: b']],
  ],
  'python-groupsub': [
    ['ExceptionGroup', 'tasks (2 sub-exceptions)', 'p.py:20', ["KeyError: 'key'", 'Bad: wrapped']],
  ],
  'python-logdef': [
    [null, 'ERROR:root:e1', null],
    [null, 'CRITICAL:root:c1', null],
  ],
  'python-syntax': [['SyntaxError', 'invalid syntax', 'p.py:28']],
  'python-rec': [['RecursionError', 'maximum recursion depth exceeded', 'p.py:30']],
  'python-note': [['ValueError', 'x', 'p.py:34']],
  'python-asyncio': [['Bad', 'in task', 'p.py:39']],
  'python-noargs': [['Bad', '', 'p.py:44']],
  'java-plain': [['java.lang.IllegalStateException', 'pool closed', 'App.java:5']],
  'java-cause': [[ORDER, 'order 7 failed', 'App.java:6', [POOL]]],
  'java-print': [[ORDER, 'order 9 failed', 'App.java:6', [POOL]]],
  'java-thread': [[ORDER, 'order 3 failed', 'App.java:6', [POOL]]],
  'java-suppressed': [
    [ORDER, 'order 8 failed', 'App.java:6', ['java.lang.RuntimeException: close failed', POOL]],
  ],
  'java-npe': [
    [
      'java.lang.NullPointerException',
      'Cannot invoke "String.length()" because "<local3>" is null',
      'App.java:14',
    ],
  ],
  'java-lambda': [['java.lang.ArithmeticException', '/ by zero', 'App.java:15']],
  'java-jul': [['java.lang.RuntimeException', 'x', 'App.java:16', ['java.io.IOException: disk']]],
  'java-circ': [['java.lang.Exception', 'a', 'App.java:19', ['java.lang.Exception: b']]],
  'go-nil': [
    [
      'panic: runtime error',
      'runtime error: invalid memory address or nil pointer dereference',
      'orders.go:23',
    ],
  ],
  'go-http': [['panic', 'order 7 failed', 'main.go:31']],
  'go-deadlock': [['fatal error', 'all goroutines are asleep - deadlock!', 'main.go:6']],
  'rust-unwrap': [['panic', UNWRAPPED, 'm.rs:1']],
  'rust-idx': [['panic', 'index out of bounds: the len is 1 but the index is 3', 'm.rs:3']],
  'rust-panic': [['panic', 'order 7 failed', 'm.rs:3']],
  'rust-plain': [['panic', 'order 7 failed', 'm.rs:3']],
  dotnet: [
    ['System.InvalidOperationException', 'order 7 failed', 'Db.cs:12', ['System.IO.IOException: disk']],
  ],
};

/** Where a record ends before the trace does: the lines of its message cannot be told from other output. */
const KNOWN_TO_BREAK = ['python-during', 'python-note', 'rust-panic', 'rust-plain'];
/** Several records by their nature. */
const SEVERAL = [
  'java-jul',
  'node-warn',
  'node7-async',
  'node10-async',
  'node14-async',
  'python-log',
  'python-logdef',
];

test('every trace is understood', () => {
  for (const name of names) {
    const found = errorsIn(readText(name)).map(({ type, message, at, causes }) => [
      type,
      message,
      at,
      causes,
    ]);
    if (name.startsWith('node-rejobj')) continue; // the message is the reason, and long
    const expected = EXPECTED[name.slice(0, -4)];
    assert.ok(expected, `nothing is expected of ${name}`);
    assert.deepEqual(
      found,
      expected.map(([type, message, at, causes = []]) => [type, message, at, causes]),
      name,
    );
  }
});

test('every trace is one record', () => {
  for (const name of names) {
    if ([...KNOWN_TO_BREAK, ...SEVERAL].includes(name.slice(0, -4))) continue;
    const records = recordsOf(readText(name)).filter((record) => record.join('') !== '');
    assert.equal(records.length, 1, name);
  }
});

test('no trace is overlooked by the quick look', () => {
  for (const name of names) {
    const text = readText(name);
    if (errorsIn(text).length > 0) assert.ok(strikes(text), name);
    for (const record of recordsOf(text))
      if (readError(record, 'err')) assert.ok(strikes(record.join('\n')), name);
  }
});

function strikes(text: string): boolean {
  return strike(Buffer.from(text), 0) >= 0;
}

function readText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

function errorsIn(text: string): ErrorReport[] {
  return recordsOf(text).flatMap((record) => readError(record, 'err') ?? []);
}

function recordsOf(text: string): (readonly string[])[] {
  const assembler = new RecordAssembler();
  const records: (readonly string[])[] = [];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const ended = assembler.push(line);
    if (ended) records.push(ended);
  }
  const last = assembler.flush();
  return last ? [...records, last] : records;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEntry } from '../../protocol/index.js';
import { createLogFormat } from './log.js';
import { harmless } from './terminal-text.js';

const ENTRY: LogEntry = {
  service: 'api',
  instance: null,
  attempt: null,
  stream: 'out',
  at: null,
  lines: ['hello'],
  level: null,
  message: null,
  fields: null,
};

const AT = new Date(2020, 0, 2, 14, 5, 10, 123).toISOString();

test('time and origin stand in front of the lines; stderr is marked', () => {
  const format = createLogFormat();
  assert.equal(format({ ...ENTRY, at: AT, instance: 0 }), '2020-01-02 14:05:10.123 api.0 | hello');
  assert.equal(format({ ...ENTRY, stream: 'err' }), 'api err | hello');
  assert.equal(format({ ...ENTRY, service: 'web' }), 'web     | hello');
});

test('lines that belong together have one time', () => {
  const trace = ['Error: no', '    at run (db.js:10:5)'];
  const space = ' '.repeat(23);
  assert.equal(
    createLogFormat()({ ...ENTRY, at: AT, lines: trace }),
    `2020-01-02 14:05:10.123 api | Error: no\n${space} api |     at run (db.js:10:5)`,
  );
});

test('a line of pino is read out: level, message, the rest; its time, which stands there already, is not', () => {
  const fields = { level: 50, time: 1, pid: 7, hostname: 'h', msg: 'no luck', user: 'ann', body: { a: 1 } };
  const entry = { ...ENTRY, level: 'error', message: 'no luck', fields } as const;
  assert.equal(createLogFormat()(entry), 'api | ERROR no luck user=ann body={"a":1}');
});

test('the stack of an exception in JSON is printed as a stack', () => {
  const stack = 'TypeError: x\n    at run (db.js:10:5)';
  const err = { type: 'TypeError', message: 'x', code: 'E1', stack };
  const entry = {
    ...ENTRY,
    level: 'warn',
    message: 'x',
    fields: { level: 'warn', message: 'x', err },
  } as const;
  assert.equal(
    createLogFormat()(entry),
    'api | WARN  x err.code=E1\napi | TypeError: x\napi |     at run (db.js:10:5)',
  );
});

test('terminals are not given orders', () => {
  const line = '\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[2J\tx\r';
  assert.equal(harmless(line, true), '\u001b[31mred\u001b[0m ␛]0;title␇ ␛[2J\tx\u001b[0m');
  assert.equal(harmless(line, false), 'red ␛]0;title␇ ␛[2J\tx');
  assert.equal(harmless('a\rb\u009b2J', false), 'a␍b\\x9b2J');
});

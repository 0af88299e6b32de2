import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLine } from './parse-line.js';

test('lines of JSON say their level, message and fields', () => {
  const lines: [line: object, level: string | null, message: string | null][] = [
    [{ level: 30, time: 1, pid: 1, msg: 'pino' }, 'info', 'pino'],
    [
      { level: 50, err: { type: 'TypeError', message: 'x', stack: 'TypeError: x\n    at a.js:1:1' } },
      'error',
      'x',
    ],
    [{ name: 'bunyan', hostname: 'web', pid: 1, level: 60, msg: 'gone', v: 0 }, 'fatal', 'gone'],
    [{ level: 'warn', message: 'winston' }, 'warn', 'winston'],
    [{ level: '\u001b[31merror\u001b[39m', message: 'in colour' }, 'error', 'in colour'],
    [{ severity: 'CRITICAL', message: 'google' }, 'fatal', 'google'],
    [{ lvl: 'dbug', text: 'short' }, 'debug', 'short'],
    [{ '@l': 'Warning', '@mt': 'serilog' }, 'warn', 'serilog'],
    [{ log: { level: 'error' }, message: 'ecs' }, 'error', 'ecs'],
    [{ level: 3, short_message: 'gelf' }, 'error', 'gelf'],
    [{ level: 7, short_message: 'gelf' }, 'debug', 'gelf'],
    [{ hello: 'world' }, null, null],
  ];
  for (const [fields, level, message] of lines)
    assert.deepEqual(parseLine(JSON.stringify(fields)), { level, message, fields });
});

test('braces alone are no JSON', () => {
  assert.deepEqual(parseLine('{ not: json }'), { level: null, message: null, fields: null });
  assert.deepEqual(parseLine('[1,2]'), { level: null, message: null, fields: null });
});

test('plain lines say their level where loggers put it', () => {
  const levels: Record<string, readonly string[]> = {
    error: [
      'ERROR: out of paint',
      '[ERROR] out of paint',
      'error: out of paint',
      '2026-11-29 01:02:03,123 ERROR [main] shop.Orders - out of paint',
      '2026-11-29T01:02:03.123Z ERROR 1 --- [main] shop.Orders : out of paint',
      '2026-11-29 01:02:03,123 - shop.orders - ERROR - out of paint',
      'ERROR:root:out of paint',
      'E1129 01:02:03.123456       1 server.go:12] out of paint',
      'time="2026-11-29T01:02:03Z" level=error msg="out of paint"',
      'ts=2026-11-29T01:02:03Z caller=main.go:12 level=error msg="out of paint"',
      '2026/11/29 01:02:03 [error] 12#12: *1 out of paint',
      '[Sun Nov 29 01:02:03 2026] [core:error] [pid 12] out of paint',
      '[Sun Nov 29 01:02:03.123456 2026] [error] [client 127.0.0.1] out of paint',
      '[01:02:03 ERR] out of paint',
      'fail: Shop.Orders[0]',
      '<11>Nov 29 01:02:03 web shop[12]: out of paint',
      'Nov 29 01:02:03 web shop[12]: ERROR: out of paint',
      'npm ERR! code E404',
      '[Nest] 12  - 11/29/2026, 1:02:03 AM   ERROR [Orders] out of paint',
      'E, [2026-11-29T01:02:03.123456 #12] ERROR -- : out of paint',
      '\u001b[31merror\u001b[39m: out of paint',
      '2026-11-29 01:02:03.123 UTC [12] ERROR:  relation "paint" does not exist',
      '2026-11-29T01:02:03.123Z\tERROR\tshop/main.go:12\tout of paint',
      'SEVERE: out of paint',
      '2026-11-29 01:02:03 [error    ] out of paint',
    ],
    warn: [
      '[WARN] x',
      'WARNING:root:x',
      'warn: x',
      '2026-11-29 01:02:03 WARN x',
      'W1129 01:02:03.1 1 a.go:1] x',
    ],
    info: [
      'INFO:     Started server',
      '[info] x',
      '2026-11-29 01:02:03 INFO x',
      'I1129 01:02:03.1 1 a.go:1] x',
    ],
    debug: ['DEBUG x', '[debug] x', '<15>x'],
    trace: ['[TRACE] x', '2026-11-29 01:02:03 TRACE x'],
    fatal: [
      'FATAL:  the database system is starting up',
      '[CRITICAL] x',
      'F1129 01:02:03.1 1 a.go:1] x',
      'level=fatal x',
    ],
  };
  for (const [level, lines] of Object.entries(levels))
    for (const line of lines) assert.equal(parseLine(line).level, level, line);
});

test('a word of a message is no level', () => {
  const lines = [
    'user said ERROR',
    'there was an error: none',
    'Error handling is on',
    'no warnings, no errors',
    'GET /error 200',
    'listening on [::]:3000',
    '2026-11-29 01:02:03 user alice found an ERROR in her bill',
    'info about the shop',
    'worker [3] saw level 5',
    'shop started (pid 12)',
    'HTTP server listens',
    'OK',
    'the mail says level=error',
    '',
    '   ',
  ];
  for (const line of lines) assert.equal(parseLine(line).level, null, line);
});

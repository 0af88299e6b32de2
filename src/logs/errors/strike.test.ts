import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strike } from './strike.js';

const ERRORS = [
  'TypeError: Cannot read properties of undefined',
  'java.lang.IllegalStateException: no',
  'Exception in thread "main" java.lang.Throwable',
  'Caused by: com.acme.Timeout: 3 s',
  'Traceback (most recent call last):',
  'System.ServiceModel.FaultException: no',
  'panic: runtime error: index out of range',
  "thread 'main' panicked at src/main.rs:2:5:",
  'Segmentation fault (core dumped)',
  'Illegal instruction',
  'Bus error',
  'Aborted',
  'Out of memory: killed',
  "a.out: a.c:5: main: Assertion `x' failed.",
  "terminate called after throwing an instance of 'int'",
  '*** stack smashing detected ***: terminated',
  'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  '(node:12) UnhandledPromiseRejectionWarning: 17',
  'Uncaught 17',
  '2026-11-29 10:00:00 ERROR pool is full',
  '2026-11-29T10:00:00Z [err] pool is full',
  'ERR! code E404',
  'npm ERR! code E404',
  'level=err msg="pool is full"',
  'time="2026-11-29T10:00:00Z" level=fatal msg=no',
  '[10:00:00 FTL] no',
  '[10:00:00 ERR] no',
  'CRIT no',
  '2026-11-29 CRT no',
  'SEVERE: no',
  'ALERT: no',
  'EMERG no',
  'emergency: no',
  'FAIL no',
  '\u001b[31merror\u001b[39m: no',
  '\u001b[31mERR\u001b[39m no',
  '<3>no',
  '<11>no',
  '<131>no',
  'E1129 10:00:00.123456    1 server.go:12] no',
  'E, [2026-11-29T10:00:00 #12] ERROR -- : no',
  '{"level":50,"msg":"no"}',
  '{"level": 60, "msg":"no"}',
  '{"lvl":50,"msg":"no"}',
  '{"version":"1.1","short_message":"no","level":3}',
  '{"level":2,"short_message":"no"}',
  '{"severity":"ERROR","message":"no"}',
  '{"level":"crit","message":"no"}',
  '{"msg":"no","err":{"message":"x"}}',
  '{"msg":"no","stack":"x"}',
  'com.acme.Timeout: 3 s\n\tat com.acme.Db.connect(Db.java:3)',
  '/srv/a.js:1\nthrow 17;\n^\n17',
  '/srv/a.js:1\n  throw 17\n  ^\n17',
  'MongoTimeout: 3 s\n    at connect (/srv/db.js:3:4)',
];

const HARMLESS = [
  'listening on port 3000',
  '2026-11-29T10:00:00.000Z info request handled id=12345 path=/api/users/77 status=200 time=12ms',
  '{"level":30,"time":1795915987375,"pid":12,"hostname":"a","msg":"request completed","responseTime":3}',
  '127.0.0.1 - - [29/Nov/2026:10:00:00 +0000] "GET /api/users HTTP/1.1" 200 512 "-" "curl/7.88.1"',
  '<14>Nov 29 10:00:00 host app[12]: started',
  'took the default branch',
  'I1129 10:00:00.123456    1 server.cc:12] yes',
];

for (const text of ERRORS)
  test(`it strikes at ${JSON.stringify(text)}, also in the middle of much else`, () => {
    const noise = `${HARMLESS.join('\n')}\n`;
    for (const before of ['', noise, noise.repeat(20)]) {
      const lines = Buffer.from(`${before}${text}\n${noise.repeat(20)}`);
      const at = strike(lines, 0);
      const [from, to] = [Buffer.byteLength(before), Buffer.byteLength(before + text)];
      assert.ok(at >= from - 1 && at < to, `at ${at}, not from ${from} to ${to}`);
    }
  });

test('it does not strike at what services write all the time', () => {
  for (const line of HARMLESS) assert.equal(strike(Buffer.from(`${line}\n`), 0), -1, line);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitCause, ExitView } from '../protocol/index.js';
import type { ExitEvidence } from './evidence.js';
import { ENDED_AT, MAIN, madeUpEvidence, seen, STRANGER, testimony } from './made-up-evidence.js';
import { decideVerdict } from './verdict.js';

const error = (message: string, type = 'Error', pid: number | null = MAIN): Partial<ExitEvidence> => ({
  error: { type, message, at: 'app.js:1', pid },
});
const kill = {
  pid: MAIN,
  at: ENDED_AT - 100,
  target: 200,
  signal: 'SIGTERM',
  reason: 'max-buffer',
  place: 'index.js:3',
  command: 'npx egg-scripts start',
  printedBytes: 1_048_700,
  isPassedOn: false,
} as const;
const childEnd = { pid: MAIN, at: ENDED_AT - 20, child: 200, code: null, signal: 'SIGTERM', command: 'npx' };

const CASES: readonly [string, Partial<ExitView>, Partial<ExitEvidence>, ExitCause, RegExp][] = [
  [
    'a signal of a stranger',
    { signal: 'SIGKILL' },
    { signals: { found: [seen({})] } },
    'signal',
    /pid 4121 \(bash\)/,
  ],
  ['a signal of nobody known', { signal: 'SIGKILL' }, {}, 'signal', /who did is not known/],
  ['a fault that may be a signal', { signal: 'SIGSEGV' }, {}, 'signal', /or a signal/],
  [
    'a fault that the kernel saw',
    { signal: 'SIGSEGV' },
    { signals: { found: [seen({ signal: 11, code: 1, sender: MAIN })] } },
    'native-crash',
    /native code/,
  ],
  [
    'the kernel, for the memory of a control group',
    { signal: 'SIGKILL' },
    {
      kernel: {
        found: [
          {
            at: ENDED_AT - 3,
            slackMs: 0,
            text: `Memory cgroup out of memory: Killed process ${MAIN} (node) total-vm:9kB, anon-rss:2048kB`,
          },
        ],
      },
    },
    'cgroup-oom',
    /2(?:\.0)? MB in use/,
  ],
  [
    'V8 out of memory',
    { signal: 'SIGABRT' },
    { err: ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'] },
    'heap-out-of-memory',
    /V8/,
  ],
  ['a port', {}, error('listen EADDRINUSE: address already in use :::3000'), 'port-taken', /3000.*pid 4121/],
  ['a module', {}, error("Cannot find module 'koa'"), 'module-missing', /"koa"/],
  [
    'a port of IPv6',
    {},
    error('listen EADDRINUSE: address already in use ::1:3000'),
    'port-taken',
    /port 3000/,
  ],
  [
    'a port of Go',
    { code: 1 },
    error('listen tcp :8080: bind: address already in use', 'panic', null),
    'port-taken',
    /port 8080/,
  ],
  [
    'a socket that is no port',
    {},
    error('listen EADDRINUSE: address already in use /tmp/a.sock'),
    'port-taken',
    /somebody else does/,
  ],
  [
    'a port that it may not have',
    {},
    error('listen EACCES: permission denied ::1:80'),
    'permission-denied',
    /port 80$|port 80 /,
  ],
  [
    'a text that is no JSON',
    {},
    error('Unexpected token < in JSON at position 0', 'SyntaxError'),
    'exception',
    /JSON/,
  ],
  [
    'code that cannot be read',
    {},
    error('Unexpected token )', 'SyntaxError'),
    'syntax-error',
    /cannot be read/,
  ],
  [
    'a property of undefined',
    {},
    error("Cannot read properties of undefined (reading 'MAX_SIZE')", 'TypeError'),
    'exception',
    /MAX_SIZE/,
  ],
  ['a field that is missing', {}, error('ORDER_ID is missing', 'ValidationError'), 'exception', /ORDER_ID/],
  [
    'a key that is missing at the start',
    { livedMs: 300 },
    error('DATABASE_URL is required'),
    'environment-missing',
    /DATABASE_URL/,
  ],
  [
    'a variable that is missing',
    {},
    error('Missing environment variable API_KEY'),
    'environment-missing',
    /API_KEY/,
  ],
  [
    'an exception long after a worker had run out of heap',
    {},
    {
      ...error('boom'),
      err: ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'],
    },
    'exception',
    /boom/,
  ],
  [
    'a worker that ran out of heap, which its master follows',
    {},
    {
      err: ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'],
      testimony: testimony({
        childEnds: [{ ...childEnd, signal: 'SIGABRT' }],
        exitCalls: [{ pid: MAIN, at: ENDED_AT - 10, code: 1, place: 'master.js:9' }],
      }),
    },
    'heap-out-of-memory',
    /V8/,
  ],
  [
    'a child that ran out of heap',
    {},
    {
      ...error('Command failed: node job.js'),
      err: ['FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'],
    },
    'heap-out-of-memory',
    /V8/,
  ],
  [
    'SIGKILL that it sent itself in a group that had lost others',
    { signal: 'SIGKILL' },
    {
      group: { found: { path: '/docker/1', kills: 1, limitBytes: null } },
      testimony: testimony({
        kills: [{ ...kill, target: MAIN, signal: 'SIGKILL', reason: 'call', command: null }],
      }),
    },
    'signal',
    /SIGKILL/,
  ],
  [
    'SIGTERM of a stranger after a child that ran too long',
    { code: 0 },
    {
      signals: { found: [seen({ signal: 15, at: ENDED_AT - 900 })] },
      testimony: testimony({ kills: [{ ...kill, reason: 'timeout' }], childEnds: [childEnd] }),
    },
    'signal',
    /SIGTERM, sent by pid 4121/,
  ],
  [
    'exit() long after a child that ran too long',
    { code: 1 },
    {
      testimony: testimony({
        kills: [{ ...kill, at: ENDED_AT - 2100, reason: 'timeout' }],
        childEnds: [{ ...childEnd, at: ENDED_AT - 2000 }],
        exitCalls: [{ pid: MAIN, at: ENDED_AT - 10, code: 1, place: 'a.js:9' }],
      }),
    },
    'exit-call',
    /a\.js:9/,
  ],
  [
    'exit() after it had ended a helper',
    { code: 1 },
    {
      testimony: testimony({
        kills: [{ ...kill, reason: 'call' }],
        childEnds: [childEnd],
        exitCalls: [{ pid: MAIN, at: ENDED_AT - 10, code: 1, place: 'a.js:9' }],
      }),
    },
    'exit-call',
    /^it called process\.exit\(1\) at a\.js:9, after it had ended its child "npx" \(pid 200\) by SIGTERM$/,
  ],
  [
    'exit() behind npm',
    { code: 1 },
    {
      argv: ['npm', 'start'],
      testimony: testimony({
        pids: new Set([MAIN, 200]),
        exitCalls: [
          { pid: 200, at: ENDED_AT - 60, code: 1, place: 'server.js:3' },
          { pid: MAIN, at: ENDED_AT - 10, code: 1, place: 'npm/lib/cli/exit-handler.js:9' },
        ],
      }),
    },
    'exit-call',
    /process 200 called process\.exit\(1\) at server\.js:3; the wrapper/,
  ],
  ['a file', {}, error("ENOENT: no such file or directory, open '/srv/a'"), 'file-missing', /\/srv\/a/],
  ['a permission', {}, error("EACCES: permission denied, open '/srv/a'"), 'permission-denied', /\/srv\/a/],
  ['a variable', {}, error('DATABASE_URL is not set'), 'environment-missing', /DATABASE_URL/],
  [
    'a variable that it has',
    {},
    { ...error('DATABASE_URL is not set'), variables: new Set(['DATABASE_URL']) },
    'exception',
    /DATABASE_URL/,
  ],
  [
    'a name that is no variable',
    {},
    error('FOO_BAR is not defined', 'ReferenceError'),
    'exception',
    /FOO_BAR/,
  ],
  [
    'a rejection',
    {},
    { ...error('no'), testimony: testimony({ rejections: new Set([MAIN]) }) },
    'rejection',
    /promise/,
  ],
  [
    'maxBuffer of a wrapper',
    { code: 0 },
    { testimony: testimony({ kills: [kill], childEnds: [childEnd] }) },
    'exec-max-buffer',
    /its own wrapper .*npx egg-scripts start.*maxBuffer/,
  ],
  [
    'an exception long after a maxBuffer that was survived',
    {},
    { ...error('boom'), testimony: testimony({ kills: [kill], childEnds: [childEnd] }) },
    'exception',
    /boom/,
  ],
  [
    'SIGTERM of a stranger, answered in order',
    { code: 0 },
    { signals: { found: [seen({ signal: 15, at: ENDED_AT - 900 })] } },
    'signal',
    /SIGTERM, sent by pid 4121/,
  ],
  [
    'SIGTERM that a cleaner passes on to itself',
    { signal: 'SIGTERM' },
    {
      signals: {
        found: [
          seen({ signal: 15, at: ENDED_AT - 30 }),
          seen({ signal: 15, sender: MAIN, senderName: 'node' }),
        ],
      },
    },
    'signal',
    /pid 4121/,
  ],
  [
    'exit()',
    { code: 3 },
    { testimony: testimony({ exitCalls: [{ pid: MAIN, at: ENDED_AT, code: 3, place: 'a.js:9' }] }) },
    'exit-call',
    /a\.js:9/,
  ],
  ['nothing left to do', { code: 0 }, {}, 'out-of-work', /nothing was left/],
  ['no Node', { code: 7 }, { testimony: testimony({ pids: new Set() }) }, 'exit-code', /code 7/],
  ['the killed shim', { kind: 'unknown', code: null }, {}, 'parent-died', /not known/],
  [
    'an operation',
    { signal: 'SIGTERM', askedBy: 'operation 4 (stop)' },
    { asked: { by: 'operation 4 (stop)', signals: ['SIGTERM'] } },
    'asked',
    /operation 4/,
  ],
  [
    'the memory limit',
    { signal: 'SIGTERM', askedBy: 'upkeep: memory limit: 120 MB of 100 MB' },
    { asked: { by: 'upkeep: memory limit: 120 MB of 100 MB', signals: ['SIGTERM'] } },
    'memory-limit',
    /120 MB of 100 MB/,
  ],
  [
    'what a hanging one was doing',
    {
      signal: 'SIGKILL',
      askedBy: 'upkeep: unhealthy (its event loop hangs)',
      evidence: {
        at: new Date(ENDED_AT).toISOString(),
        pid: MAIN,
        summary: 'runs in spin (app.js:12)',
        answers: false,
        frames: [],
        resources: null,
        state: 'R',
        waitsIn: null,
        openFiles: 20,
        rssBytes: null,
        missing: null,
      },
    },
    { asked: { by: 'upkeep: unhealthy (its event loop hangs)', signals: ['SIGTERM', 'SIGKILL'] } },
    'unhealthy',
    /event loop hangs.*runs in spin \(app\.js:12\)/,
  ],
  [
    'timeout(1)',
    { code: 124, livedMs: 5100 },
    { argv: ['timeout', '5', 'node', 'a.js'] },
    'time-limit',
    /5s/,
  ],
  [
    'timeout(1) with options',
    { code: 124, livedMs: 60_100 },
    { argv: ['timeout', '-k', '5', '-s', 'TERM', '1m', 'node', 'a.js', '3'] },
    'time-limit',
    /after 1m/,
  ],
  [
    'a code that only looks like timeout(1)',
    { code: 124, livedMs: 1000 },
    { argv: ['timeout', '5', 'node', 'a.js'] },
    'exit-code',
    /124|code/,
  ],
];

for (const [name, exit, evidence, cause, words] of CASES) {
  test(`the verdict names ${name}`, () => {
    const verdict = decideVerdict(madeUpEvidence(exit, { ...evidence }));
    assert.equal(verdict.cause, cause, JSON.stringify(verdict));
    assert.match(verdict.summary, words);
  });
}

test('a crash in native code says whether there is a core dump to look into', () => {
  const signals = { found: [seen({ signal: 11, code: 1, sender: MAIN })] };
  const crash = (exit: Partial<ExitView>): ReturnType<typeof decideVerdict> =>
    decideVerdict(madeUpEvidence({ signal: 'SIGSEGV', ...exit }, { signals }));
  assert.match(crash({ hasCore: true }).hint!, /coredumpctl debug 100/);
  assert.match(crash({}).hint!, /ulimit -c unlimited/);
});

test('what was not available is named where more could have been known', () => {
  const { notAvailable, confidence } = decideVerdict(madeUpEvidence({ signal: 'SIGKILL' }));
  assert.equal(confidence, 'unknown');
  assert.deepEqual(
    notAvailable.map(({ source }) => source),
    ['kernel trace', 'audit log', 'kernel log', 'control group'],
  );
});

test('the audit log names who sent the signal, also one that has ended, where there is no trace', () => {
  const audited = { ...seen({}), senderUid: 1000, senderCommand: 'kill -9 100 --token hunter2' };
  const audit = { found: { signals: [audited], crashes: [] } };
  const describe: ExitEvidence['describe'] = (pid, _at, name) => ({
    ...{ pid, name, place: 'unknown', command: null, uid: null, startedAt: null, parents: [] },
  });
  const verdict = decideVerdict(madeUpEvidence({ signal: 'SIGKILL' }, { audit, describe }));
  assert.deepEqual([verdict.cause, verdict.confidence], ['signal', 'certain']);
  assert.match(verdict.summary, /SIGKILL, sent by pid 4121 \(kill -9 100 --token \*\*\*, which has ended\)/);
  assert.deepEqual(
    verdict.evidence.map(({ source }) => source),
    ['audit log', 'audit log'],
  );
  assert.equal(verdict.by?.uid, 1000);
  const asked = { found: { signals: [{ ...audited, signal: 15 }], crashes: [] } };
  const { cause, summary } = decideVerdict(madeUpEvidence({ code: 0 }, { audit: asked, describe }));
  assert.deepEqual([cause, /SIGTERM, sent by pid 4121/.test(summary)], ['signal', true]);
});

test('an unknown sender comes with the rule that would name the next one; a crash in the audit log does not name one', () => {
  const audit = {
    found: { signals: [], crashes: [{ at: ENDED_AT, pid: 100, signal: 11, program: '/usr/bin/node' }] },
  };
  const verdict = decideVerdict(madeUpEvidence({ signal: 'SIGSEGV' }, { audit }));
  assert.equal(verdict.confidence, 'unknown');
  assert.match(verdict.hint!, /auditctl -a always,exit -F arch=b64 -S kill/);
  assert.ok(
    verdict.evidence.some(({ fact }) => /\/usr\/bin\/node, pid 100, ended abnormally by SIGSEGV/.test(fact)),
  );
  assert.ok(verdict.notAvailable.some(({ source, fact }) => source === 'audit log' && /no rule/.test(fact)));
});

test('nobody is named whom no source has seen', () => {
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT'] as const) {
    const late = seen({ at: ENDED_AT + 500, sender: STRANGER });
    const other = seen({ target: 77 });
    const { by, confidence } = decideVerdict(
      madeUpEvidence({ signal }, { signals: { found: [late, other] } }),
    );
    assert.deepEqual([by, confidence], [null, 'unknown']);
  }
});

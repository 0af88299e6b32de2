/** One question to a program at a time: what is asked, how it is judged, and that it ends in time. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CheckSpec, HttpAnswerSpec } from '../../src/protocol/index.js';
import { runCheck, type CheckResult, type CheckTarget } from '../../src/supervisor/check.js';
import { freePort, until } from '../rig/index.js';

const TARGET: CheckTarget = {
  ports: [],
  cwd: '/',
  env: () => ({ PATH: '/usr/bin:/bin' }),
  pids: () => [],
  listening: () => [],
  isHeld: () => false,
  isShared: () => false,
  privateSocket: () => undefined,
  followOutput: () => undefined,
};
const PATIENT_MS = 15_000;
const SOON_MS = 300;

const fine: RequestListener = (_request, response) =>
  response.writeHead(204, { 'x-ready': 'yes, it is' }).end();
const hello: RequestListener = (_request, response) => response.end('hello, all is well');
const silent: RequestListener = () => undefined;
const endless: RequestListener = (_request, response) => void response.write('hello, more is to come');

test('http: any status below 400, a single one, or one of several ranges', async () => {
  await assertAnswer(fine, {}, true, / answered 204$/);
  await assertAnswer(fine, { statuses: [{ from: 200, to: 203 }] }, false, / answered 204$/);
  const ranges = [
    { from: 200, to: 200 },
    { from: 204, to: 299 },
  ];
  await assertAnswer(fine, { statuses: ranges }, true, / answered 204$/);
});

test('http: text or a regular expression in the body', async () => {
  await assertAnswer(hello, { body: { text: 'all is well' } }, true, / answered 200$/);
  await assertAnswer(hello, { body: { pattern: '^hello.+well$' } }, true, / answered 200$/);
  await assertAnswer(hello, { body: { text: 'bye' } }, false, / answered 200, but "bye" is not in its body$/);
});

test('http: headers of the answer', async () => {
  await assertAnswer(fine, { headers: { 'x-ready': { text: 'yes' } } }, true, / answered 204$/);
  const no = / answered 204, but "no" is not in its header x-ready$/;
  await assertAnswer(fine, { headers: { 'x-ready': { text: 'no' } } }, false, no);
  const missing = / answered 204, but without the header x-up$/;
  await assertAnswer(fine, { headers: { 'x-up': { text: '' } } }, false, missing);
});

test('http: by HEAD', async () => {
  const methods: (string | undefined)[] = [];
  const noting: RequestListener = (request, response) => {
    methods.push(request.method);
    response.end();
  };
  await assertAnswer(noting, { method: 'HEAD' }, true, / answered 200$/);
  assert.deepEqual(methods, ['HEAD']);
});

test('http: an answer that is right but slow is a failure', async () => {
  const slow: RequestListener = (_request, response) => void setTimeout(() => response.end(), 50);
  await assertAnswer(slow, { latencyMs: 10 }, false, / answered 200 in \d+ ms, which is more than 10 ms$/);
});

test('http: who accepts and never answers, or never ends, costs the timeout and no more', async () => {
  await assertAnswer(silent, {}, false, /: no answer within 300 ms$/, SOON_MS);
  await assertAnswer(endless, { body: { text: 'bye' } }, false, /: no answer within 300 ms$/, SOON_MS);
  await assertAnswer(endless, {}, true, / answered 200$/);
});

test('tcp: whether a connection is taken', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connect = { host: '127.0.0.1', port };
  assert.deepEqual(await runCheck({ on: 'port', connect }, TARGET, PATIENT_MS), {
    isSuccess: true,
    detail: `127.0.0.1:${port} takes connections`,
  });
  server.close();
  const free = { host: '127.0.0.1', port: await freePort() };
  const refused = await runCheck({ on: 'port', connect: free }, TARGET, PATIENT_MS);
  assert.match(refused.detail, /^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
});

test('command: its exit code counts', async () => {
  assert.deepEqual(await runCommand('exit 0'), { isSuccess: true, detail: '/bin/sh -c exit 0: exit code 0' });
  assert.deepEqual(await runCommand('exit 3'), {
    isSuccess: false,
    detail: '/bin/sh -c exit 3: exit code 3',
  });
  const missing = await runCheck({ on: 'command', argv: ['/does/not/exist'] }, TARGET, PATIENT_MS);
  assert.match(missing.detail, /ENOENT/);
});

test('command: one that cannot even be started is a failure, too', async () => {
  const target = { ...TARGET, env: () => ({ BIG: 'x'.repeat(128 * 1024) }) };
  const check: CheckSpec = { on: 'command', argv: ['true'] };
  assert.deepEqual(await runCheck(check, target, PATIENT_MS), {
    isSuccess: false,
    detail: 'command: it cannot be asked: spawn E2BIG',
  });
});

test('command: one that does not end is ended in time, with what it has started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-check-'));
  const file = join(folder, 'pids');
  try {
    const run = async (timeoutMs: number): Promise<number[]> => {
      const { detail } = await runCommand(`sleep 60 & echo $! $$ > ${file}; wait`, timeoutMs);
      assert.match(detail, new RegExp(`no end within ${timeoutMs} ms$`));
      return (existsSync(file) ? readFileSync(file, 'utf8') : '').match(/\d+/g)?.map(Number) ?? [];
    };
    let pids = await run(1000);
    if (pids.length < 2) pids = await run(10_000); // on a busy machine it had not begun
    assert.equal(pids.length, 2);
    await until('both are gone', () => pids.every(isGone));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function assertAnswer(
  listener: RequestListener,
  answer: Partial<HttpAnswerSpec>,
  isSuccess: boolean,
  detail: RegExp,
  timeoutMs = PATIENT_MS,
): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const whole = {
    method: 'GET',
    statuses: null,
    body: null,
    headers: {},
    latencyMs: null,
    ...answer,
  } as const;
  const check: CheckSpec = { on: 'http', url: `http://127.0.0.1:${port}/`, status: null, answer: whole };
  const result = await runCheck(check, TARGET, timeoutMs);
  server.closeAllConnections();
  server.close();
  assert.match(result.detail, detail);
  assert.equal(result.isSuccess, isSuccess, result.detail);
}

function runCommand(line: string, timeoutMs = PATIENT_MS): Promise<CheckResult> {
  return runCheck({ on: 'command', argv: ['/bin/sh', '-c', line] }, TARGET, timeoutMs);
}

function isGone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SlowRequest } from '../protocol/index.js';
import { MAX_SLOW_BYTES, SlowRequests } from './slow-requests.js';

const START = 1_767_225_600_000; // a full hour
const home = mkdtempSync(join(tmpdir(), 'upkeep-slow-'));
after(() => rmSync(home, { recursive: true }));
const host = { home, onInternalError: (error: unknown) => assert.fail(error as Error) };
const always = { since: 0, until: Infinity };

function slow(ms: number, of: Partial<SlowRequest> = {}): SlowRequest {
  return { at: START, method: 'GET', path: '/', status: 200, ms, ...of };
}

test('of each path the slowest is found again by the next daemon, the slowest first, within the time', () => {
  const said = [
    slow(20, { path: '/a' }),
    slow(90, { path: '/a', at: START + 1000 }),
    slow(50, { path: '/b', status: 500 }),
    slow(70, { path: '/b', method: 'POST' }),
  ];
  new SlowRequests(host).note('api', said, START + 2000);
  appendFileSync(join(home, 'history', 'api.slowest'), '{"at":17672'); // a kill
  const found = (since: number): unknown[] =>
    new SlowRequests(host)
      .find('api', { since, until: START + 2000 })
      .map(({ method, path, status, ms }) => [method, path, status, ms]);
  assert.deepEqual(found(START), [
    ['GET', '/a', 200, 90],
    ['POST', '/b', 200, 70],
    ['GET', '/b', 500, 50],
  ]);
  assert.deepEqual(found(START + 500), [['GET', '/a', 200, 90]]);
});

test('only what is among the slowest of its hour is written, and one path does not hide the others', () => {
  const requests = new SlowRequests(host);
  const path = join(home, 'history', 'busy.slowest');
  const lines = (): number => readFileSync(path, 'utf8').trim().split('\n').length;
  for (let round = 0; round < 100; round++) {
    const said = [1, 2, 3, 4, 5, 6].map((rank) =>
      slow(100 - 10 * rank - round / 100, { path: rank < 3 ? '/often' : `/${rank}`, at: START + round }),
    );
    requests.note('busy', said, START + round);
  }
  assert.deepEqual(
    requests.find('busy', always).map(({ path }) => path),
    ['/often', '/3', '/4', '/5', '/6'],
  );
  assert.equal(lines(), 5);
  const before = lines();
  requests.note('busy', [slow(2, { at: START + 3_600_000 })], START + 3_600_000);
  assert.equal(lines(), before + 1);
});

test('what an application makes up, or is asked for in secret, does not get into it', () => {
  const requests = new SlowRequests(host);
  const bad = [null, 'x', slow(NaN), slow(5, { path: 'no' }), slow(5, { method: 'G E' }), slow(5, { at: 1 })];
  requests.note('made-up', bad, START);
  assert.ok(!existsSync(join(home, 'history', 'made-up.slowest')));
  requests.note('secret', [slow(5, { path: '/token/hunter2\u001b[2J' })], START);
  assert.deepEqual(
    requests.find('secret', always).map(({ path }) => path),
    ['/token/***'],
  );
  const cut = `/${'x'.repeat(185)}/aB3dE5fG7hI9jK1lM3`.slice(0, 200);
  requests.note('cut', [slow(5, { path: cut })], START);
  assert.deepEqual(
    requests.find('cut', always).map(({ path }) => path),
    [`/${'x'.repeat(185)}/…`],
  );
  requests.forget('secret');
  assert.ok(!existsSync(join(home, 'history', 'secret.slowest')));
});

test('the files of a service never grow beyond their bound', () => {
  const requests = new SlowRequests(host);
  const path = `/${'x'.repeat(180)}`;
  for (let ms = 1; ms < 8000; ms++) requests.note('grows', [slow(ms, { path })], START);
  for (const name of ['grows.slowest', 'grows.slowest.1'])
    assert.ok(statSync(join(home, 'history', name)).size <= MAX_SLOW_BYTES);
  assert.equal(requests.find('grows', always)[0]!.ms, 7999);
});

/** What the preload counts: of unmodified servers, from when they listen. The test plays the daemon. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { MetricsLine } from '../../src/supervisor/metrics-line.js';
import { highest, quantile } from '../../src/metrics/index.js';
import type { ProcessMetrics } from '../../src/protocol/index.js';
import { ask } from '../rig/ask.js';
import { freePort, isListening, until } from '../rig/index.js';
import { PreloadHost } from '../rig/preload-host.js';

const SERVER = `
  const { ServerResponse, createServer } = require('http');
  createServer((request, response) => {
    response.statusCode = request.url === '/bad' ? 503 : 200;
    if (request.url === '/block') for (const until = Date.now() + 1200; Date.now() < until;);
    if (request.url === '/never') return;
    if (request.url === '/stream') return response.flushHeaders();
    if (request.url === '/traces') return response.end(String(Object.keys(response).length + response.listenerCount('finish')));
    setTimeout(() => response.end('well'), request.url.startsWith('/slow') ? 150 : 0);
  }).listen(process.env.PORT);
`;

test('requests, errors and latency are counted from the first request on, without a trace', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', SERVER], { env: { PORT: String(port) } });
  await attempt.untilSaid(/^listening/);
  const control = await attempt.control();
  const read = async (): Promise<ProcessMetrics> =>
    ((await control.ask({ do: 'metrics' })) as { metrics: ProcessMetrics }).metrics;
  const { body: before } = await ask(port, '/traces');
  const bare = await freePort();
  preload.start(['node', '-e', SERVER], { env: { PORT: String(bare) }, isBare: true });
  await until('it listens', () => isListening(bare));
  assert.equal(before, (await ask(bare, '/traces')).body);
  const first = await read();
  assert.deepEqual([first.requests, first.errors], [1, 0]);

  for (let index = 0; index < 20; index++) await ask(port);
  for (const path of ['/slow?token=hunter2', '/bad', '/bad']) await ask(port, path);
  assert.equal((await ask(port, '/traces')).body, before);
  const { requests, errors, latency, heapBytes, durationMs, slowest = [] } = await read();
  assert.deepEqual([requests, errors], [25, 2]);
  assert.equal(
    latency.reduce((sum, count) => sum + count, 0),
    25,
  );
  assert.ok(highest(latency)! >= 150 && quantile(latency, 0.5)! < 150, String(latency));
  assert.ok(durationMs >= 149 && heapBytes > 1e6);

  // Among the slowest: on a busy machine another one may take longer.
  const worst = slowest.find(({ path }) => path === '/slow');
  assert.deepEqual([worst?.method, worst?.path, worst?.status], ['GET', '/slow', 200]);
  assert.ok(worst!.ms >= 149 && Math.abs(Date.now() - worst!.at) < 60_000 && slowest.length <= 5);
  assert.deepEqual((await read()).slowest, [], 'each is said once');

  await ask(port, '/block');
  await until('the loop was seen late', async () => highest((await read()).loop)! >= 400);
  control.close();
});

test('requests that have had no answer for five seconds are counted at a look; what streams has begun', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', SERVER], { env: { PORT: String(port) } });
  await attempt.untilSaid(/^listening/);
  const control = await attempt.control();
  const read = async (isLook: boolean): Promise<number | undefined> =>
    ((await control.ask({ do: 'metrics', isLook })) as { metrics: ProcessMetrics }).metrics.unanswered;
  const requests = ['/never', '/never', '/stream'].map((path) =>
    get({ port, path, agent: false }).on('error', () => undefined),
  );
  await Promise.all(requests.map((request) => once(request, 'finish')));
  await ask(port);
  assert.equal(await read(true), 0);
  await until('both are overdue', async () => (await read(true)) === 2);
  assert.equal(await read(false), 0);
  for (const request of requests) request.destroy();
  await until('nobody waits for them any more', async () => (await read(true)) === 0);
  control.close();
});

test('who wants it again and again gets it, and only as long as the connection lasts', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', SERVER], { env: { PORT: String(port) } });
  await attempt.untilSaid(/^listening/);
  await attempt.untilSaid(/^control/);
  const socket = connect(attempt.socket(attempt.pid));
  socket.write('{"do":"metrics","everyMs":400}\n');
  const lines = createInterface({ input: socket });
  for (let answers = 0; answers < 4; answers++) {
    const [line] = (await once(lines, 'line')) as [string];
    assert.equal((JSON.parse(line) as { metrics: ProcessMetrics }).metrics.requests, answers);
    await ask(port);
  }
  socket.destroy();
  assert.equal((await ask(port)).status, 200);
});

test('for a daemon that is stopped nothing piles up', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', SERVER], { env: { PORT: String(port) } });
  await attempt.untilSaid(/^listening/);
  await attempt.untilSaid(/^control/);
  const socket = connect(attempt.socket(attempt.pid)).pause();
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.write('{"do":"metrics","everyMs":2}\n');
  await until('the connection was ended', () => {
    socket.write('\n');
    return errors.length > 0;
  });
  socket.destroy();
  assert.equal((await ask(port)).status, 200);
});

test('what was counted before a daemon began to listen is not counted again', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', SERVER], { env: { PORT: String(port) } });
  await attempt.untilSaid(/^listening/);
  await attempt.untilSaid(/^control/);
  const before = new MetricsLine(attempt.socket(attempt.pid));
  await before.read();
  for (let index = 0; index < 5; index++) await ask(port);
  before.end();
  const line = new MetricsLine(attempt.socket(attempt.pid));
  const first = (await line.read())!;
  assert.deepEqual([first.now.requests, first.before.requests], [5, 5]);
  await ask(port);
  await until('it has said so', async () => {
    const counters = await line.read();
    return counters?.now.requests === 6 && counters.before.requests === 5;
  });
  attempt.kill('SIGKILL');
  await until('the end was noticed', () => line.isOver);
  assert.equal((await line.read())?.now.requests, 6);
});

/** Who is asked to end finishes what it has begun: stop, restart and scale; and the messages that applications know. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import {
  app,
  assertSucceeded,
  failureOf,
  freePort,
  isRefused,
  knock,
  knockSlowly,
  Load,
  Rig,
  serve,
  visit,
  type Puppet,
  type Visit,
} from '../rig/index.js';

test('a stop refuses connections at once, while a slow request is still answered', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port });
  const slow = await knockSlowly(rig, port, puppet);

  const { id } = await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.until('connections are refused', () => isRefused(port));
  assert.equal((await rig.instance('api')).status, 'stopping');
  await puppet.finish();

  assert.equal(await slow.answer, String(puppet.pid));
  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('api')).exit!.signal, 'SIGTERM');
  assert.ok(await isRefused(port));
});

test('a service that is started while it still drains accepts again as soon as it is there', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port });
  const slow = await knockSlowly(rig, port, first);
  const stop = await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.until('connections are refused', () => isRefused(port));
  const start = await rig.accept({ kind: 'start', services: ['api'] });
  await first.finish();
  assert.equal(await slow.answer, String(first.pid));
  assertSucceeded(await rig.ended(stop.id));

  const second = await rig.enter('api', { after: 1 });
  await second.listen(port, null);
  assertSucceeded(await rig.ended(start.id));
  assert.equal(await visit(port), String(second.pid));
});

test('a service can be stopped and started in turn, and serves after each start', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  assertSucceeded(await rig.up({ api: { script: app('serves-http.cjs'), port, env: { PORT: port } } }));
  for (let turn = 0; turn < 4; turn++) {
    assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
    assert.ok(await isRefused(port));
    assertSucceeded(await rig.request({ kind: 'start', services: ['api'] }));
    assert.equal(await visit(port), `hello ${(await rig.instance('api')).pid} 1.1`);
  }
});

for (const isDeclared of [true, false]) {
  test(`a restart refuses nobody and fails no request (port ${isDeclared ? '' : 'not '}declared)`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const config = { script: app('serves-http.cjs'), env: { PORT: port } };
    assertSucceeded(await rig.up({ api: isDeclared ? { ...config, port } : config }));
    await rig.untilLogged('api', 'listening');
    await using load = new Load(port);
    for (const attempt of [2, 3, 4]) {
      assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
      const { pid, attempt: current } = await rig.instance('api');
      assert.equal(current, attempt);
      await rig.until('it has answered', () => load.answers.has(`hello ${pid} 1.1`));
    }
    assert.deepEqual(load.failures, []);
  });
}

test('a request that takes longer than the drain is cut off, and the stop goes on', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port, stop: { drain: '300ms' } });
  const slow = await knockSlowly(rig, port, puppet);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  await assert.rejects(slow.answer);
  assert.equal((await rig.instance('api')).exit!.signal, 'SIGTERM');
});

test('with drain 0 the signal comes at once', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port, stop: { drain: 0 } });
  const slow = await knockSlowly(rig, port, puppet);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  await assert.rejects(slow.answer);
});

test('an event loop that hangs does not hold up a stop for the whole drain', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { script: app('serves-http.cjs'), port, env: { PORT: port } };
  assertSucceeded(await rig.up({ api: { ...config, stop: { drain: '1m', grace: '500ms' } } }));
  const { answer } = await knock(port, { path: '/block?600000' });
  answer.catch(() => undefined);
  const { pid } = await rig.instance('api');
  await rig.until('it hangs', async () => (await rig.instance('api')).cpuPercent! > 20);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.ok(!rig.lives(pid!));
});

test('an application with its own handler of the signal still gets it, after the drain', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port });
  await puppet.exitOn('SIGTERM', 0, 'closed the shop');
  const slow = await knockSlowly(rig, port, puppet);
  const { id } = await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.until('connections are refused', () => isRefused(port));
  assert.ok(!(await rig.log('api')).includes('closed the shop'));
  await puppet.finish();
  assert.equal(await slow.answer, String(puppet.pid));
  assertSucceeded(await rig.ended(id));
  assert.match(await rig.log('api'), /closed the shop/);
  assert.equal((await rig.instance('api')).exit!.code, 0);
});

test('scaling down lets an instance finish its requests, and fails none of the others', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const [first, second] = await serveTwice(rig, port);
  const visits: Visit[] = [];
  await rig.until('the second one has got a slow request', async () => {
    visits.push(await knock(port, { path: '/slow' }));
    return (await second.hits()) > 0;
  });
  const hits = async (): Promise<number> => (await first.hits()) + (await second.hits());
  await rig.until('all of them are there', async () => (await hits()) === visits.length);
  await using load = new Load(port);
  const { id } = await rig.accept({ kind: 'scale', service: 'api', instances: 1 });
  await rig.untilInstance('api', ({ status }) => status === 'stopping', 1);
  await loadGoesOn(rig, load);
  await second.finish();
  assertSucceeded(await rig.ended(id));
  await loadGoesOn(rig, load);
  await first.finish();
  const answers = await Promise.all(visits.map(({ answer }) => answer));
  assert.ok(answers.includes(String(second.pid)));
  assert.deepEqual(load.failures, []);
});

test('scaling up shares the port, under load and without a failure', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { script: app('serves-http.cjs'), port, env: { PORT: port } };
  assertSucceeded(await rig.up({ api: config }));
  await using load = new Load(port);
  for (const instances of [3, 1, 2]) {
    assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances }));
    const { instances: all } = await rig.service('api');
    assert.equal(all.length, instances);
    await rig.until('all have answered', () => all.every(({ pid }) => load.answers.has(`hello ${pid} 1.1`)));
  }
  assert.deepEqual(load.failures, []);
});

test('scaling to none closes the port, and back opens it', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  assertSucceeded(await rig.up({ api: { script: app('serves-http.cjs'), port, env: { PORT: port } } }));
  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 0 }));
  await rig.until('connections are refused', () => isRefused(port), 2000);
  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 1 }));
  assert.match(await visit(port), /^hello/);
});

test('with ready "message" a service is ready when it says process.send("ready"), and not before', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const up = await accept(rig, { port, ready: 'message' });
  const puppet = await rig.enter('api');
  await puppet.listen(port, null);
  assert.equal(await visit(port), String(puppet.pid));
  await puppet.send('almost');
  assert.equal((await rig.instance('api')).status, 'starting');
  assert.equal(await puppet.send('ready'), true);
  assertSucceeded(await rig.ended(up));
  assert.equal((await rig.instance('api')).status, 'running');
});

test('with ready "message" a new process takes traffic when it says so', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const up = await accept(rig, { port, ready: 'message', reload: { stable: 0 } });
  const old = await rig.enter('api');
  await old.listen(port, null);
  await old.send('ready');
  assertSucceeded(await rig.ended(up));
  await using load = new Load(port);
  const { id } = await rig.accept({ kind: 'reload', services: ['api'] });
  const fresh = await rig.enter('api', { after: 1 });
  await fresh.listen(port, null);
  await loadGoesOn(rig, load);
  assert.deepEqual([...load.answers.keys()], [String(old.pid)]);
  await fresh.send('ready');
  assertSucceeded(await rig.ended(id));
  await rig.until('it has answered', () => load.answers.has(String(fresh.pid)));
  assert.deepEqual(load.failures, []);
});

test('a service that never says process.send("ready") is not ready in time', async () => {
  await using rig = await Rig.create();
  const up = await accept(rig, { ready: { message: true, timeout: '1s' }, restart: 'never' });
  assert.equal(
    failureOf(await rig.ended(up)).message,
    `Cannot start "api": not ready within 1s (no process.send('ready') came)`,
  );
});

test('with stop.message the application is told "shutdown", and no signal comes', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port, stop: { message: true } });
  await puppet.exitOn('SIGTERM', 1, 'got a signal');
  await puppet.exitOnMessage('shutdown', 0, 'was told');
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.equal(await rig.log('api'), 'was told\n');
  assert.equal((await rig.instance('api')).exit!.code, 0);
});

test('with stop.message who does not listen to messages is killed after the grace', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ stop: { message: true, grace: '300ms' } }) }));
  await rig.enter('api');
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.equal((await rig.instance('api')).exit!.signal, 'SIGKILL');
});

test('without ready "message" and stop.message there is no process.send', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port });
  assert.equal(await puppet.send('ready'), null);
});

async function accept(rig: Rig, config: ServiceConfig): Promise<string> {
  const services = [...(await rig.specs({ api: rig.puppet(config) }))];
  return (await rig.accept({ kind: 'up', services })).id;
}

async function serveTwice(rig: Rig, port: number): Promise<[Puppet, Puppet]> {
  const id = await accept(rig, { port, instances: 2 });
  const first = await rig.enter('api');
  await first.listen(port, null);
  const second = await rig.enter('api', { instance: 1 });
  await second.listen(port, null);
  assertSucceeded(await rig.ended(id));
  return [first, second];
}

async function loadGoesOn(rig: Rig, load: Load): Promise<void> {
  const before = load.count;
  await rig.until('the load goes on', () => load.count > before + 5);
}

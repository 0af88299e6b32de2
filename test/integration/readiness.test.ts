import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import { app, assertSucceeded, failureOf, freePort, Rig, type Puppet } from '../rig/index.js';

test('a service whose run folder was cleaned away becomes ready, and can be stopped', async () => {
  await using rig = await Rig.create();
  const services = await rig.specs({ api: rig.puppet({ ready: { log: 'open for business' } }) });
  const up = await rig.accept({ kind: 'up', services: [...services] });
  const puppet = await rig.enter('api');
  rmSync((await puppet.env()).UPKEEP_RUN!, { recursive: true });
  await puppet.print('open for business');
  assertSucceeded(await rig.ended(up.id));
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
});

test('"start": a service is ready as soon as its program was executed', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: { script: app('never-ready.js') } }));
  assert.equal((await rig.instance('api')).status, 'running');
});

test('"log": a service is ready when a line of it matches, on stdout or stderr', async () => {
  await using rig = await Rig.create();
  await becomesReady(rig, { ready: { log: 'open( for business)?$' } }, async (puppet) => {
    await puppet.print('opening soon');
    assert.equal((await rig.instance('api')).status, 'starting');
    await puppet.print('open for business', 'err');
  });
});

test('"port": a service is ready when a process of its own tree listens on every port', async () => {
  await using rig = await Rig.create();
  const ports = [await freePort(), await freePort()];
  await becomesReady(rig, { ports }, async (puppet) => {
    await puppet.listen(ports[0]!);
    assert.equal((await rig.instance('api')).status, 'starting');
    await puppet.listen(ports[1]!);
  });
});

test('"http": a service is ready when its URL answers well', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await becomesReady(rig, { port, ready: { http: '/health' } }, async (puppet) => {
    await puppet.serve(503);
    await puppet.listen(port);
    await rig.until('it was asked', async () => (await puppet.hits()) > 0);
    assert.equal((await rig.instance('api')).status, 'starting');
    await puppet.serve(204);
  });
});

test('"command": a service is ready when the command succeeds', async () => {
  await using rig = await Rig.create();
  const command = ['/bin/sh', '-c', 'echo >> asked; test -e "$FLAG"'];
  await becomesReady(rig, { env: { FLAG: 'flag' }, ready: { command } }, async () => {
    assert.equal((await rig.instance('api')).status, 'starting');
    rig.write('flag', '');
  });
});

test('what is not ready in time fails the operation with the reason and the last lines, and is started again', async () => {
  await using rig = await Rig.create();
  const service = { script: app('never-ready.js'), ready: { log: 'listening', timeout: '5s' } };
  const failure = failureOf(await rig.up({ api: service }));
  assert.deepEqual(failure, {
    code: 'not-ready',
    message: 'Cannot start "api": not ready within 5s (no line matches /listening/)',
    hint: 'all of its output: upkeep logs api',
    lines: ['still warming up'],
  });
  await rig.untilInstance('api', ({ attempt }) => attempt > 1);
});

test('the command line ends with 5 where a service does not become ready', async () => {
  await using rig = await Rig.create();
  const services = { api: { script: app('never-ready.js'), ready: { log: 'listening', timeout: '300ms' } } };
  rig.write('upkeep.config.json', JSON.stringify({ services }));
  const { code, stderr } = await rig.cli('up');
  assert.equal(code, 5);
  assert.match(stderr, /^Cannot start "api": not ready within 300ms \(no line matches \/listening\/\)$/m);
});

test('a port in use is named with its holder before anything is started', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await rig.up({ holder: rig.puppet() });
  const holder = await rig.enter('holder');
  await holder.listen(port);
  const failure = failureOf(await rig.up({ api: rig.puppet({ port, restart: 'never' }) }));
  assert.match(
    failure.message,
    new RegExp(`^Cannot start "api": port ${port} is in use by pid ${holder.pid} \\(`),
  );
});

test('an unhealthy instance is restarted gracefully', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const health = { http: '/', interval: '100ms', failures: 2 };
  await becomesReady(rig, { port, health }, (puppet) => puppet.listen(port));
  await rig.untilInstance('api', ({ healthy }) => healthy === true);
  const puppet = await rig.enter('api');
  await puppet.exitOn('SIGTERM', 0, 'closed the shop');

  await puppet.serve(500);

  const next = await rig.enter('api', { after: 1 });
  assert.match((await rig.instance('api')).exit!.askedBy!, /^upkeep: unhealthy \(http:.* answered 500\)$/);
  assert.match(await rig.log('api'), /closed the shop/);
  await next.listen(port);
  await rig.untilInstance('api', ({ healthy, attempt }) => healthy === true && attempt === 2);
});

/** Brings up a puppet that is `starting` until `make` has made it ready. */
async function becomesReady(
  rig: Rig,
  config: ServiceConfig,
  make: (puppet: Puppet) => Promise<unknown>,
): Promise<void> {
  const { id } = await rig.accept({
    kind: 'up',
    services: [...(await rig.specs({ api: rig.puppet(config) }))],
  });
  await make(await rig.enter('api'));
  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('api')).status, 'running');
}

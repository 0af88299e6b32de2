import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertSucceeded, failureOf, Rig } from '../rig/index.js';

test('a service is started, restarted, stopped, started again and deleted', async () => {
  await using rig = await Rig.create();

  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const first = await rig.enter('api');
  const running = await rig.instance('api');
  assert.deepEqual([running.status, running.pid, running.attempt], ['running', first.pid, 1]);

  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  const second = await rig.enter('api', { after: 1 });
  assert.notEqual(second.pid, first.pid);
  assert.deepEqual([second.identity.attempt, (await rig.service('api')).restarts], [2, 1]);

  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  await second.gone;
  const stopped = await rig.instance('api');
  assert.deepEqual([stopped.status, stopped.pid], ['stopped', null]);
  assert.match(stopped.exit!.askedBy!, /^operation \d+ \(stop\)$/);

  assertSucceeded(await rig.request({ kind: 'start', services: ['api'] }));
  const third = await rig.enter('api', { after: 2 });
  assert.equal((await rig.service('api')).restarts, 1, 'a start on request is no restart');

  assertSucceeded(await rig.request({ kind: 'delete', services: ['api'] }));
  await third.gone;
  assert.deepEqual(await rig.client.call('services'), []);
});

test('a restart ends nothing that could not be started again', async () => {
  await using rig = await Rig.create();
  copyFileSync(process.execPath, join(rig.folder, 'app', 'node'));
  await rig.up({
    db: rig.puppet({ interpreter: './node' }),
    api: rig.puppet({ dependsOn: ['db'] }),
  });
  const { pid } = await rig.enter('db');
  rig.remove('node');

  const refused = await rig.request({ kind: 'restart', services: ['db'] });
  const failure = failureOf(refused);
  assert.match(failure.message, /^Cannot restart "db": \/.*\/node does not exist$/);
  assert.match(failure.hint!, /^what runs was left alone; install it again/);
  assert.equal((await rig.instance('db')).pid, pid);

  const both = await rig.request({ kind: 'restart', services: ['db', 'api'] });
  assert.equal(failureOf(both).message, failure.message);
  await rig.enter('api', { after: 1 });
  assert.equal((await rig.instance('db')).pid, pid, 'one that others depend on is left alone, too');
});

test('a start of what runs and a stop of what is stopped change nothing', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const { pid } = await rig.enter('api');

  assertSucceeded(await rig.request({ kind: 'start', services: ['api'] }));
  assert.equal((await rig.instance('api')).pid, pid);

  await rig.request({ kind: 'stop', services: ['api'] });
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.equal((await rig.instance('api')).status, 'stopped');
});

test('scaling up leaves what runs alone, scaling down ends the last instances and counts on afterwards', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const first = await rig.enter('api');

  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 3 }));
  const third = await rig.enter('api', { instance: 2 });
  assert.equal((await rig.service('api')).instances.length, 3);
  assert.equal((await rig.instance('api')).pid, first.pid);
  await third.exit(1);
  const fourth = await rig.enter('api', { instance: 2, after: 1 });
  assert.equal((await rig.service('api')).restarts, 1);

  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 1 }));
  await fourth.gone;
  const { instances, restarts } = await rig.service('api');
  assert.deepEqual([instances.length, restarts], [1, 1], 'what was restarted stays counted');

  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 3 }));
  assert.equal((await rig.enter('api', { instance: 2, after: 2 })).identity.attempt, 3);
  assert.equal((await rig.service('api')).restarts, 1);
});

test('a signal reaches every instance, and is refused where none runs', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ instances: 2, restart: 'never' }) });
  const puppets = [await rig.enter('api', { instance: 0 }), await rig.enter('api', { instance: 1 })];
  await Promise.all(puppets.map((puppet) => puppet.exitOn('SIGUSR2', 7)));

  assert.equal((await rig.cli('signal', 'api', 'USR2')).code, 0);
  await Promise.all(puppets.map((puppet) => puppet.gone));
  const { exit } = await rig.untilInstance('api', ({ status }) => status === 'completed');
  assert.equal(exit!.code, 7);

  await rig.untilInstance('api', ({ status }) => status === 'completed', 1);
  const failure = failureOf(await rig.request({ kind: 'signal', service: 'api', signal: 'SIGUSR2' }));
  assert.equal(failure.code, 'not-running');
});

test('up changes what differs, keeps the rest and prunes what left the file', async () => {
  await using rig = await Rig.create();
  await rig.up({ kept: rig.puppet(), changed: rig.puppet(), gone: rig.puppet() });
  const kept = await rig.enter('kept');
  const changed = await rig.enter('changed');

  const services = { kept: rig.puppet(), changed: rig.puppet({ env: { COLOR: 'green' } }) };
  const operation = await rig.request({
    kind: 'up',
    services: [...(await rig.specs(services))],
    prune: true,
  });

  assertSucceeded(operation);
  const actions = Object.fromEntries(operation.steps.map(({ service, action }) => [service, action]));
  assert.deepEqual(actions, { kept: 'keep', changed: 'reload', gone: 'delete' });
  assert.equal((await rig.instance('kept')).pid, kept.pid);
  const after = await rig.enter('changed', { after: changed.identity.attempt });
  assert.equal((await after.env()).COLOR, 'green');
});

test('a service can be scaled to nothing and back', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 0 }));
  await puppet.gone;
  assert.deepEqual((await rig.service('api')).instances, []);
  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 1 }));
  await rig.enter('api', { after: 1 });
});

test('a service in a crash loop is started at once by a restart on request', async () => {
  await using rig = await Rig.create();
  const flag = rig.write('broken', '');
  const command = ['/bin/sh', '-c', `test ! -e ${flag} && exec sleep 1000000`];
  await rig.up({ api: { command, restart: { delay: '20ms', limit: 3, retry: '1h' } } });
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  rig.remove('broken');
  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  assert.equal((await rig.instance('api')).status, 'running');
});

test('a daemon ends at once, also after a service was deleted whose next start was an hour away', async () => {
  await using rig = await Rig.create();
  const restart = { delay: '20ms', limit: 3, retry: '1h' };
  await rig.up({ api: { command: ['/bin/sh', '-c', 'exit 1'], restart } });
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  assertSucceeded(await rig.request({ kind: 'delete', services: ['api'] }));
  const { code, stderr } = await rig.cli('daemon', 'stop');
  assert.deepEqual([code, stderr], [0, '']);
});

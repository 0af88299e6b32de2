import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProcess } from '../../src/system/index.js';
import { app, assertSucceeded, failureOf, Rig } from '../rig/index.js';

const GRACE_MS = 400;

test('a stop asks the process itself first, and lets it finish', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { signal: 'SIGINT' } }) });
  const puppet = await rig.enter('api');
  const child = await puppet.fork();
  await puppet.exitOn('SIGINT', 0, 'closed the shop');

  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));

  const { exit } = await rig.instance('api');
  assert.deepEqual([exit!.kind, exit!.code], ['exited', 0]);
  assert.match(exit!.reason, /^exit code 0, asked by operation \d+ \(stop\)$/);
  assert.match(await rig.log('api'), /closed the shop/);
  assert.ok(!rig.lives(child), 'its child was ended, too');
});

test('after the grace SIGKILL ends the whole tree, also what double-forked into a session of its own', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { grace: GRACE_MS } }) });
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  const child = await puppet.fork({ ignoresTerm: true });
  const hidden = await puppet.fork({ isDaemon: true, ignoresTerm: true });
  assert.notEqual(readProcess(hidden)!.parent, puppet.pid);

  const startedAt = performance.now();
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));

  assert.ok(performance.now() - startedAt >= GRACE_MS);
  assert.equal((await rig.instance('api')).exit!.signal, 'SIGKILL');
  assert.deepEqual(
    [puppet.pid, child, hidden].filter((pid) => rig.lives(pid)),
    [],
  );
});

test('descendants that refuse to end are killed when the process itself went in time', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { grace: GRACE_MS } }) });
  const puppet = await rig.enter('api');
  const hidden = await puppet.fork({ isDaemon: true, ignoresTerm: true });

  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));

  assert.equal((await rig.instance('api')).exit!.signal, 'SIGTERM');
  assert.ok(!rig.lives(hidden));
});

test('with the kill scope "process" descendants live on, through stop and restart', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { killScope: 'process', grace: GRACE_MS } }) });
  const first = await rig.enter('api');
  const child = await first.fork({ isDaemon: true });

  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  const second = await rig.enter('api', { after: 1 });
  assert.ok(rig.lives(child));

  await second.ignore('SIGTERM');
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.equal((await rig.instance('api')).exit!.signal, 'SIGKILL');
  assert.ok(rig.lives(child));

  await rig.killProcess(child);
});

test('a restart does not start the next attempt before the last descendant is gone', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { grace: GRACE_MS } }) });
  const first = await rig.enter('api');
  const hidden = await first.fork({ isDaemon: true, ignoresTerm: true });

  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  await rig.enter('api', { after: 1 });
  assert.ok(!rig.lives(hidden));
});

test('a crash sweeps away what the process left behind before it is restarted', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { grace: GRACE_MS } }) });
  const first = await rig.enter('api');
  const hidden = await first.fork({ isDaemon: true, ignoresTerm: true });
  await first.exit(1);
  await rig.enter('api', { after: 1 });
  assert.ok(!rig.lives(hidden));
});

test('a fork bomb of 200 does not survive its stop', async () => {
  await using rig = await Rig.create();
  await rig.up({
    bomb: { script: app('fork-bomb-200.sh'), stop: { grace: GRACE_MS }, ready: { log: 'bombed' } },
  });
  assert.ok(rig.processes().length > 100);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['bomb'] }));
  assert.deepEqual(
    rig.processes().filter(({ name }) => name === 'sleep'),
    [],
  );
});

test('what lives on under the kill scope "process" can go on writing', async () => {
  await using rig = await Rig.create();
  const flag = rig.write('wait', '');
  const command = `(while test -e ${flag}; do sleep 0.05; done; echo still here) & exec sleep 1000000`;
  await rig.up({ api: { command: ['/bin/sh', '-c', command], stop: { killScope: 'process' } } });
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  rig.remove('wait');
  await rig.untilLogged('api', 'still here');
});

test('a service whose secret is still being read can be stopped and deleted', async () => {
  await using rig = await Rig.create();
  const secrets = { TOKEN: { command: ['/bin/sh', '-c', 'exec sleep 1'] } };
  const up = await rig.accept({
    kind: 'up',
    services: [...(await rig.specs({ api: rig.puppet({ secrets }) }))],
  });
  await rig.untilInstance('api', ({ status }) => status === 'starting');
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.equal((await rig.instance('api')).status, 'stopped');
  assert.equal((await rig.ended(up.id)).status, 'failed');
  assertSucceeded(await rig.request({ kind: 'delete', services: ['api'] }));
});

test('a service that is not ready yet can be deleted', async () => {
  await using rig = await Rig.create();
  const services = { api: { script: app('never-ready.js'), ready: { log: 'listening' } } };
  const up = await rig.accept({ kind: 'up', services: [...(await rig.specs(services))] });
  await rig.untilInstance('api', ({ pid }) => pid !== null);
  assertSucceeded(await rig.request({ kind: 'delete', services: ['api'] }));
  assert.equal(failureOf(await rig.ended(up.id)).code, 'superseded');
  assert.deepEqual(await rig.client.call('services'), []);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { InstanceView } from '../../src/protocol/index.js';
import { readCommand, readProcess } from '../../src/system/index.js';
import { app, assertSucceeded, failureOf, freePort, Rig } from '../rig/index.js';

test('a killed daemon is not noticed by its services: the next one takes them back as they are', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ instances: 3 }), web: rig.puppet() });
  const puppet = await rig.enter('web');
  const before = await pids(rig);
  assert.equal(before.length, 4);

  await rig.killDaemon();
  await puppet.print('nobody listens');
  await rig.startDaemon();

  assert.deepEqual(await pids(rig), before);
  assert.deepEqual(
    new Set((await rig.client.call('services')).map(({ status }) => status)),
    new Set(['running']),
  );
  assert.equal((await rig.service('api')).restarts, 0);
  await puppet.print('somebody listens');
  await rig.untilLogged('web', 'somebody listens');
  assert.equal(await rig.log('web'), 'nobody listens\nsomebody listens\n');
});

test('a daemon that is ended on request leaves its services alone, too', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const before = await pids(rig);
  assert.equal((await rig.cli('daemon', 'stop')).code, 0);
  await rig.startDaemon();
  assert.deepEqual(await pids(rig), before);
});

test('restarts are counted on where nothing runs when the daemon is replaced', async () => {
  await using rig = await Rig.create();
  const restart = { delay: '1ms', maxDelay: '1ms', limit: 3 };
  await rig.up({ api: { command: 'sleep 0; exit 1', restart } });
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  const { restarts } = await rig.service('api');
  assert.ok(restarts > 0);
  assert.equal((await rig.cli('daemon', 'stop')).code, 0);
  await rig.startDaemon();
  assert.equal((await rig.service('api')).restarts, restarts);
});

test('a daemon that is killed between two attempts is followed by one that goes on waiting', async () => {
  await using rig = await Rig.create();
  const restart = { delay: '8s', maxDelay: '8s' };
  await rig.up({
    api: rig.puppet({ restart }),
    gone: { command: [rig.write('gone', PROGRAM, 0o755)], restart },
  });
  await (await rig.enter('api')).exit(1);
  await (await rig.enter('api', { after: 1 })).exit(2);
  rig.remove('gone');
  process.kill((await rig.instance('gone')).pid!, 'SIGKILL');
  const isWaiting = ({ status }: InstanceView): boolean => status === 'waiting';
  const [before] = [await rig.untilInstance('api', isWaiting), await rig.untilInstance('gone', isWaiting)];
  // Events are written in bursts: what a killed daemon has not written yet nobody tells any more.
  const file = join(rig.home.path, 'events.jsonl');
  await rig.until('its end is on disk', () =>
    /"instance-exited".*"code":2\b/.test(readFileSync(file, 'utf8')),
  );

  await rig.killDaemon();
  await rig.startDaemon();

  const after = await rig.instance('api');
  assert.deepEqual([after.status, after.attempt, after.exit], ['waiting', 2, before.exit]);
  const left = Date.parse(after.nextStartAt!) - Date.parse(before.nextStartAt!);
  assert.ok(Math.abs(left) < 1000, `${left} ms of difference`);
  assert.equal((await rig.service('api')).restarts, 1);
  const gone = await rig.instance('gone');
  assert.deepEqual([gone.status, gone.attempt, gone.exit!.kind], ['waiting', 2, 'spawn-failed']);
  assert.equal((await rig.service('gone')).restarts, 1);

  await (await rig.enter('api', { after: 2 })).exit(3);
  await rig.untilInstance('api', isWaiting);
  assert.equal((await rig.service('api')).restarts, 2);
  const events = await rig.events('api');
  const told = events.flatMap((event) => (event.type === 'instance-exited' ? [event.exit.code] : []));
  assert.deepEqual(told, [1, 2, 3], 'no end is told twice');
  const { reason } = events.findLast((event) => event.type === 'instance-restarting')!;
  assert.equal(reason, 'failure 3 in a row');
});

test('what waits for its next attempt leaves nothing behind when it is stopped', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ restart: { delay: '1h', maxDelay: '1h' } }) });
  await (await rig.enter('api')).exit(1);
  await (await rig.enter('api', { after: 1 })).exit(1);
  await rig.untilInstance('api', ({ status }) => status === 'waiting');
  assert.equal(runFolders(rig).length, 1);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  await rig.until('its folder is gone', () => runFolders(rig).length === 0);
});

test('exits that happened while there was no daemon are reported exactly, and the policy is followed', async () => {
  await using rig = await Rig.create();
  const job = rig.puppet({ restart: 'never' });
  await rig.up({ job, crashing: job, api: rig.puppet() });
  const [exiting, crashing, api] = [
    await rig.enter('job'),
    await rig.enter('crashing'),
    await rig.enter('api'),
  ];

  await rig.killDaemon();
  await exiting.print('last words');
  await exiting.exit(9);
  await crashing.crash('SIGSEGV');
  await api.exit(0);
  await rig.startDaemon();

  const done = await rig.untilInstance('job', ({ status }) => status === 'completed');
  assert.deepEqual([done.exit!.kind, done.exit!.code, done.exit!.lastLines], ['exited', 9, ['last words']]);
  const crashed = await rig.untilInstance('crashing', ({ status }) => status === 'completed');
  assert.deepEqual([crashed.exit!.kind, crashed.exit!.signal], ['signalled', 'SIGSEGV']);
  const next = await rig.enter('api', { after: 1 });
  assert.equal(next.identity.attempt, 2);
  assert.equal((await rig.service('api')).restarts, 1);
});

test('a job that is done is not done again by the next daemon', async () => {
  await using rig = await Rig.create();
  await rig.up({ migration: rig.puppet({ restart: 'never' }) });
  await (await rig.enter('migration')).exit(0);
  await rig.untilInstance('migration', ({ status }) => status === 'completed');
  await rig.until('the end is on disk', () => rig.state().services[0]!.completed[0]?.code === 0);

  await rig.killDaemon();
  await rig.startDaemon();

  const { status, attempt, exit } = await rig.instance('migration');
  assert.deepEqual([status, attempt, exit?.code], ['completed', 1, 0]);
  assertSucceeded(await rig.request({ kind: 'start', services: ['migration'] }));
  assert.equal((await rig.enter('migration', { after: 1 })).identity.attempt, 2);
});

test('what is saved while a daemon begins forgets nothing of what is wanted', async () => {
  await using rig = await Rig.create();
  await rig.up({ migration: rig.puppet({ restart: 'never' }), api: rig.puppet() });
  const [migration, api] = [await rig.enter('migration'), await rig.enter('api')];
  await rig.killDaemon();
  await migration.exit(0);
  await rig.startDaemon(); // takes `api` back, hears of the end of `migration`, and saves that at once
  await rig.until('the end is on disk', () => rig.state().services[0]!.completed[0]?.code === 0);
  assert.deepEqual(
    rig.state().services.map(({ spec, isWanted }) => [spec.name, isWanted]),
    [
      ['migration', true],
      ['api', true],
    ],
  );

  await rig.killDaemon();
  await rig.startDaemon();
  assert.equal((await rig.instance('api')).pid, api.identity.pid);
});

test('what runs is left alone where its description was lost', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  await rig.killDaemon();
  rig.spoilState();
  for (const when of ['the state is lost', 'the state is whole again, and knows nothing']) {
    await rig.startDaemon();
    assert.ok(rig.lives(puppet.identity.pid), when);
    await rig.killDaemon();
  }
  await rig.startDaemon();
  const warnings = (await rig.events()).filter(({ type }) => type === 'warning');
  assert.match(JSON.stringify(warnings), /instance 0 runs, but its description was lost/);
  await puppet.exit(0);
  await rig.until('its shim alone is left', () => !rig.lives(puppet.identity.pid));
  await rig.killDaemon();
  await rig.startDaemon(); // clears away what is over
});

test('a service that is not ready yet becomes it by a line that nobody heard', async () => {
  await using rig = await Rig.create();
  const ready = { log: 'open for business', timeout: '20s' };
  const services = await rig.specs({ api: rig.puppet({ ready }) });
  const up = await rig.accept({ kind: 'up', services: [...services] });
  const puppet = await rig.enter('api');
  await rig.killDaemon();
  await puppet.print('open for business');
  await rig.startDaemon();
  assertSucceeded(await rig.ended(up.id));
});

test('an operation that was accepted is finished by the next daemon', async () => {
  await using rig = await Rig.create();
  const ready = { log: 'open for business', timeout: '20s' };
  const up = await rig.accept({
    kind: 'up',
    services: [...(await rig.specs({ api: rig.puppet({ ready }) }))],
  });
  const puppet = await rig.enter('api');

  await rig.killDaemon();
  await rig.startDaemon();
  await puppet.print('open for business');

  assertSucceeded(await rig.ended(up.id));
  assert.equal((await rig.instance('api')).pid, puppet.pid);
});

test('a service of which nobody could note that it is ready is asked anew, and not ended, by the next daemon', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const api = rig.puppet({ ports: [port], ready: { http: '/', timeout: '6s' } });
  const up = await rig.accept({ kind: 'up', services: [...(await rig.specs({ api }))] });
  const puppet = await rig.enter('api');
  await puppet.listen(port);
  assertSucceeded(await rig.ended(up.id));
  rmSync(join((await puppet.env()).UPKEEP_RUN!, 'ready'));
  const late = Date.parse((await rig.instance('api')).startedAt!) + 6000;
  await rig.killDaemon();
  await rig.until('it is too late to become ready', () => Date.now() > late);
  await rig.startDaemon();

  const { pid } = await rig.untilInstance('api', ({ status }) => status === 'running');
  assert.equal(pid, puppet.pid);
});

test('an attempt that was taken back still has to become ready in time', async () => {
  await using rig = await Rig.create();
  const ready = { log: 'listening', timeout: '1500ms' };
  const services = { api: { script: app('never-ready.js'), ready, restart: 'never' as const } };
  const up = await rig.accept({ kind: 'up', services: [...(await rig.specs(services))] });
  await rig.untilInstance('api', ({ status, pid }) => status === 'starting' && pid !== null);
  await rig.killDaemon();
  await rig.startDaemon();
  assert.equal(failureOf(await rig.ended(up.id)).code, 'not-ready');
});

test('a stopped service stays stopped, a deleted one deleted, whatever becomes of the daemon', async () => {
  await using rig = await Rig.create();
  await rig.up({ kept: rig.puppet(), stopped: rig.puppet(), deleted: rig.puppet() });
  await rig.request({ kind: 'stop', services: ['stopped'] });
  await rig.request({ kind: 'delete', services: ['deleted'] });
  await rig.killDaemon();
  await rig.startDaemon();
  const services = await rig.client.call('services');
  assert.deepEqual(
    services.map(({ name, status }) => `${name} ${status}`),
    ['kept running', 'stopped stopped'],
  );
});

test('a killed launcher takes nobody along, and is replaced by the next start', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const before = await pids(rig);
  const launcher = rig.processes().find(({ pid }) => readCommand(pid)?.includes('upkeep-shim serve'));

  await rig.killProcess(launcher!.pid);

  assertSucceeded(await rig.up({ web: rig.puppet() }));
  assert.deepEqual((await pids(rig)).slice(0, 1), before);
  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  assert.equal((await rig.enter('api', { after: 1 })).identity.attempt, 2);
});

test('the end of a shim is noticed, also when the launcher that started it is gone', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  const shim = readProcess(puppet.pid)!.parent;
  await rig.killDaemon();
  await rig.startDaemon();

  await rig.killProcess(shim);

  await rig.enter('api', { after: 1 });
  assert.ok(!rig.lives(puppet.pid));
  assert.equal((await rig.instance('api')).exit!.kind, 'unknown');
});

test('a stop that was waiting for its grace is finished by the next daemon', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ stop: { grace: '1500ms' } }) });
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  const stop = await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.untilInstance('api', ({ status }) => status === 'stopping');
  await rig.killDaemon();
  await rig.startDaemon();
  assertSucceeded(await rig.ended(stop.id));
  assert.ok(!rig.lives(puppet.pid));
});

test('a service that was taken back is checked with the environment that it was given', async () => {
  await using rig = await Rig.create();
  rig.write('api.env', 'COLOR=green\n');
  const health = {
    command: ['/bin/sh', '-c', 'test "$COLOR$UPKEEP_SERVICE" = greenapi'],
    interval: '100ms',
    failures: 3,
  };
  await rig.up({ api: rig.puppet({ envFiles: ['api.env'], health }) });
  const { pid } = await rig.untilInstance('api', ({ healthy }) => healthy === true);
  await rig.killDaemon();
  await rig.startDaemon();
  const after = await rig.untilInstance('api', ({ healthy }) => healthy !== null);
  assert.deepEqual([after.healthy, after.pid], [true, pid]);
});

const PROGRAM = '#!/bin/sh\nexec sleep 1000000\n';

function runFolders(rig: Rig): string[] {
  return readdirSync(join(rig.home.path, 'run')).filter((name) => name.includes('.'));
}

async function pids(rig: Rig): Promise<(number | null)[]> {
  const services = await rig.client.call('services');
  return services.flatMap(({ instances }) => instances.map(({ pid }) => pid));
}

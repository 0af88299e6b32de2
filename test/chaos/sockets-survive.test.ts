/**
 * The daemon, its launcher or a shim is killed while sockets are held and instances are replaced: nobody is refused, and
 * nothing is left half done.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsSocket, listeningSockets, readCommand, readProcess } from '../../src/system/index.js';
import {
  app,
  assertSucceeded,
  AT_ONCE,
  failureOf,
  freePort,
  knock,
  knockSlowly,
  learned,
  Load,
  RELOAD,
  Rig,
  roles,
  serve,
  visit,
  type Puppet,
} from '../rig/index.js';

test('a daemon that is killed between two attempts takes no connection along', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port, restart: { delay: '6s', maxDelay: '6s' } });
  await first.exit(1);
  const second = await rig.enter('api', { after: 1 });
  await second.exit(1);
  await rig.untilInstance('api', ({ status }) => status === 'waiting');
  const before = await knock(port);

  await rig.killDaemon();
  const meanwhile = await knock(port);
  await rig.startDaemon();

  const third = await rig.enter('api', { after: 2 });
  await third.listen(port, null);
  for (const { answer } of [before, meanwhile]) assert.equal(await answer, String(third.pid));
});

test('a reload whose new process was starting is done anew, and nobody notices', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const candidate = await rig.enter('api', { after: 1 });

  await restartDaemon(rig, load);

  await listenWhenItComes(rig, port, 2);
  assertSucceeded(await rig.ended(id));
  await endsWithOne(rig, load, [old, candidate]);
});

test('a new process that listened without traffic never gets any when the daemon is killed', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const verify = { command: ['/bin/sh', '-c', 'test -e verified'], timeout: '1m' };
  const old = await serve(rig, port, { port, reload: { ...AT_ONCE, verify } });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const candidate = await rig.enter('api', { after: 1 });
  await candidate.listen(port, null);
  await untilProgress(rig, id, 'verifying');

  await restartDaemon(rig, load);

  await listenWhenItComes(rig, port, 2);
  await untilProgress(rig, id, 'verifying');
  assert.deepEqual([...load.answers.keys()], [String(old.pid)]);
  rig.write('verified', '');
  assertSucceeded(await rig.ended(id));
  assert.ok(!load.answers.has(String(candidate.pid)));
  await endsWithOne(rig, load, [old, candidate]);
});

test('a reload whose new process was watched is done anew', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: { stable: '2s' } });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const candidate = await rig.enter('api', { after: 1 });
  await candidate.listen(port, null);
  await untilProgress(rig, id, 'watching for 2s');

  await restartDaemon(rig, load);

  await listenWhenItComes(rig, port, 2);
  assertSucceeded(await rig.ended(id));
  assert.ok(!load.answers.has(String(candidate.pid)));
  await endsWithOne(rig, load, [old, candidate]);
});

test('a daemon that is stopped while a new process is watched ends, and the next one goes on', async () => {
  await using rig = await Rig.create();
  const job = { command: ['true'], instances: 2, restart: 'on-failure' as const };
  assertSucceeded(await rig.up({ api: job }));
  await rig.until('both are done', async () => (await rig.service('api')).status === 'completed');
  const stays = { ...job, command: ['sleep', '1000'], reload: { stable: '1s' } };
  const { id } = await rig.accept({ kind: 'up', services: [...(await rig.specs({ api: stays }))] });
  await untilProgress(rig, id, 'instance 0: watching for 1s (0 of 2 replaced)');

  const { code, stderr } = await rig.cli('daemon', 'stop');
  assert.equal(code, 0, stderr);
  await rig.startDaemon();
  assertSucceeded(await rig.ended(id));
  const { instances } = await rig.service('api');
  assert.deepEqual(
    instances.map(({ status }) => status),
    ['running', 'running'],
  );
});

test('a reload whose old process was draining is not done again, and the old one finishes', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  const slow = await knockSlowly(rig, port, old);
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  await fresh.listen(port, null);
  await untilProgress(rig, id, 'draining the old one');

  await restartDaemon(rig, load);

  assert.ok(rig.lives(old.pid));
  await old.finish();
  assert.equal(await slow.answer, String(old.pid));
  assertSucceeded(await rig.ended(id));
  await old.gone;
  assert.equal((await rig.instance('api')).pid, fresh.pid);
  await endsWithOne(rig, load, [old]);
});

test('a change whose new process was starting ends with the new description', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { port, reload: AT_ONCE, env: { VERSION: '1' } };
  const old = await serve(rig, port, config);
  await using load = new Load(port);
  const services = [...(await rig.specs({ api: rig.puppet({ ...config, env: { VERSION: '2' } }) }))];
  const { id } = await rig.accept({ kind: 'up', services });
  const candidate = await rig.enter('api', { after: 1 });

  await restartDaemon(rig, load);

  const fresh = await listenWhenItComes(rig, port, 2);
  assertSucceeded(await rig.ended(id));
  assert.equal((await fresh.env())['VERSION'], '2');
  assert.equal(rig.state().services[0]!.spec.env['VERSION']!.value, '2');
  await endsWithOne(rig, load, [old, candidate]);
});

test('a change whose old process was draining ends with the new description', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { port, reload: AT_ONCE, env: { VERSION: '1' } };
  const old = await serve(rig, port, config);
  const slow = await knockSlowly(rig, port, old);
  await using load = new Load(port);
  const services = [...(await rig.specs({ api: rig.puppet({ ...config, env: { VERSION: '2' } }) }))];
  const { id } = await rig.accept({ kind: 'up', services });
  const fresh = await rig.enter('api', { after: 1 });
  await fresh.listen(port, null);
  await untilProgress(rig, id, 'draining the old one');

  await restartDaemon(rig, load);

  await old.finish();
  assert.equal(await slow.answer, String(old.pid));
  const last = await rig.until('the operation has ended', async () => {
    const puppet = await rig.enter('api', { after: 1 });
    if (puppet.pid !== fresh.pid) await puppet.listen(port, null).catch(() => undefined);
    const { status } = await rig.client.call('operation', { params: { id } });
    return (status === 'succeeded' || status === 'failed') && puppet;
  });
  assertSucceeded(await rig.ended(id));
  assert.equal((await last.env())['VERSION'], '2');
  assert.equal(rig.state().services[0]!.spec.env['VERSION']!.value, '2');
  await endsWithOne(rig, load, [old]);
});

test('a bad new process fails the operation also under the next daemon, and the old one serves on', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  await rig.enter('api', { after: 1 });
  await restartDaemon(rig, load);
  await (await rig.enter('api', { after: 2 })).exit(3);
  assert.match(failureOf(await rig.ended(id)).message, /the new instance failed: exit code 3/);
  assert.equal((await rig.instance('api')).pid, old.pid);
  assert.deepEqual(await roles(rig), ['serving 1']);
  assert.deepEqual([...load.answers.keys()], [String(old.pid)]);
  assert.deepEqual(load.failures, []);
});

test('a reload of two instances goes on with the second one', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { port, instances: 2, reload: AT_ONCE };
  const up = await rig.accept({ kind: 'up', services: [...(await rig.specs({ api: rig.puppet(config) }))] });
  for (const instance of [0, 1]) await (await rig.enter('api', { instance })).listen(port, null);
  assertSucceeded(await rig.ended(up.id));
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const first = await rig.enter('api', { after: 1 });
  await first.listen(port, null);
  await rig.enter('api', { instance: 1, after: 1 });

  await restartDaemon(rig, load);

  await listenWhenItComes(rig, port, 2, 1);
  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('api', 0)).pid, first.pid);
  assert.deepEqual(await roles(rig), ['serving 2', 'serving 3']);
  assert.deepEqual(load.failures, []);
});

for (const isDeclared of [true, false]) {
  const title = isDeclared ? 'declared' : 'not declared';
  test(`a crash under the next daemon leaves connections to the next attempt (port ${title})`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const first = await serve(rig, port, isDeclared ? { port } : {});
    await rig.killDaemon();
    assert.equal(await visit(port), String(first.pid));
    await rig.startDaemon();
    assert.equal((await rig.instance('api')).pid, first.pid);
    await first.exit(1);
    await nextAnswers(rig, port, 1);
  });

  test(`a port survives several daemons and crashes (port ${title})`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    let puppet = await serve(rig, port, isDeclared ? { port } : {});
    for (const attempt of [1, 2, 3]) {
      await rig.killDaemon();
      await rig.startDaemon();
      await rig.until('the launcher holds the socket', () => launcherHolds(rig, port));
      await puppet.exit(1);
      puppet = await nextAnswers(rig, port, attempt);
      await rig.untilInstance('api', ({ status }) => status === 'running');
      if (!isDeclared) assert.equal(learned(rig).length, 1);
    }
  });
}

test('an application that crashes while no daemon lives leaves its connections to its successor', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port });
  await rig.killDaemon();
  await first.exit(1);
  const { answer } = await knock(port);
  await rig.startDaemon();
  const next = await rig.enter('api', { after: 1 });
  await next.listen(port, null);
  assert.equal(await answer, String(next.pid));
});

test('a service of several instances can be scaled under the next daemon', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  assertSucceeded(await rig.up({ api: { script: app('serves-http.cjs'), port, env: { PORT: port } } }));
  await rig.killDaemon();
  await rig.startDaemon();
  await using load = new Load(port);
  assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 3 }));
  const { instances } = await rig.service('api');
  await rig.until('all have answered', () =>
    instances.every(({ pid }) => load.answers.has(`hello ${pid} 1.1`)),
  );
  assert.deepEqual(load.failures, []);
});

test('a reload under the next daemon fails no request', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { script: app('serves-http.cjs'), port, env: { PORT: port }, reload: AT_ONCE };
  assertSucceeded(await rig.up({ api: config }));
  await using load = new Load(port);
  for (let turn = 0; turn < 2; turn++) {
    await rig.killDaemon();
    await rig.startDaemon();
    assertSucceeded(await rig.request(RELOAD));
    const { pid } = await rig.instance('api');
    await rig.until('it has answered', () => load.answers.has(`hello ${pid} 1.1`));
  }
  assert.deepEqual(load.failures, []);
});

test('behind a wrapper that was reloaded, processes under the next daemon still take traffic', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const service = { script: app('respawns-server.cjs'), port, env: { PORT: port }, reload: AT_ONCE };
  assertSucceeded(await rig.up({ api: service }));
  assertSucceeded(await rig.request(RELOAD));
  await rig.killDaemon();
  await rig.startDaemon();
  const [, server] = (await visit(port)).split(' ');
  process.kill(Number(server), 'SIGKILL');
  const [, successor] = (await visit(port)).split(' ');
  assert.notEqual(successor, server);
});

test('a program with LISTEN_FDS keeps its port under the next daemon', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const sockets = 'systemd' as const;
  assertSucceeded(await rig.up({ api: { script: app('takes-sockets.py'), port, sockets, reload: AT_ONCE } }));
  await using load = new Load(port);
  await rig.killDaemon();
  await rig.startDaemon();
  assertSucceeded(await rig.request(RELOAD));
  const { pid } = await rig.instance('api');
  await rig.until('it has answered', () => load.answers.has(String(pid)));
  assert.deepEqual(load.failures, []);
});

test('a stop that was draining is finished by the next daemon', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port });
  const slow = await knockSlowly(rig, port, puppet);
  const { id } = await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.untilInstance('api', ({ status }) => status === 'stopping');
  await rig.killDaemon();
  await rig.startDaemon();
  await puppet.finish();
  assert.equal(await slow.answer, String(puppet.pid));
  assertSucceeded(await rig.ended(id));
  await assert.rejects(knock(port), { code: 'ECONNREFUSED' });
});

test('a shim that was killed takes its application along, but no connection', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port });
  await rig.killProcess(readProcess(first.pid)!.parent);
  await first.gone;
  await nextAnswers(rig, port, 1);
});

test('a launcher that is killed while a new process starts fails no request', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  await rig.killProcess(launcherOf(rig)!);
  await fresh.listen(port, null);
  assertSucceeded(await rig.ended(id));
  await rig.until('the new one answers', () => load.answers.has(String(fresh.pid)));
  await endsWithOne(rig, load, [old]);
  await fresh.exit(1);
  await nextAnswers(rig, port, 2);
});

async function restartDaemon(rig: Rig, load: Load): Promise<void> {
  await rig.killDaemon();
  const before = load.count;
  await rig.until('the load goes on without a daemon', () => load.count > before + 5);
  await rig.startDaemon();
}

async function listenWhenItComes(rig: Rig, port: number, after: number, instance = 0): Promise<Puppet> {
  const puppet = await rig.enter('api', { after, instance });
  await puppet.listen(port, null);
  return puppet;
}

/** One instance serves; these are gone; nobody was refused. */
async function endsWithOne(rig: Rig, load: Load, gone: readonly Puppet[]): Promise<void> {
  const { pid } = await rig.instance('api');
  await rig.until('it answers', () => load.answers.has(String(pid)));
  assert.equal((await roles(rig)).length, 1);
  for (const puppet of gone) await rig.until(`${puppet.name} is gone`, () => !rig.lives(puppet.pid));
  assert.deepEqual(load.failures, []);
}

async function untilProgress(rig: Rig, id: string, progress: string): Promise<void> {
  await rig.until(`operation ${id} says "${progress}"`, async () => {
    const { steps } = await rig.client.call('operation', { params: { id } });
    return steps[0]!.progress === progress;
  });
}

/** A connection that is opened now is answered by the next attempt. */
async function nextAnswers(rig: Rig, port: number, after: number): Promise<Puppet> {
  const { answer } = await knock(port);
  const next = await listenWhenItComes(rig, port, after);
  assert.equal(await answer, String(next.pid));
  return next;
}

function launcherOf(rig: Rig): number | undefined {
  return rig.processes().find(({ pid }) => readCommand(pid)?.includes('upkeep-shim serve'))?.pid;
}

function launcherHolds(rig: Rig, port: number): boolean {
  const launcher = launcherOf(rig);
  return launcher !== undefined && holdsSocket(launcher, listeningSockets(port));
}

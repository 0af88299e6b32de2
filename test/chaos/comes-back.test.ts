/** The daemon or its guardian is killed: whoever is left brings the other one back, and no application notices. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { UpkeepEvent } from '../../src/protocol/index.js';
import { readProcess } from '../../src/system/index.js';
import { assertSucceeded, Installation, Rig } from '../rig/index.js';

test('a killed daemon comes back without any command, and its services go on', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ instances: 2 }), job: rig.puppet({ restart: 'never' }) }));
  const [api, job] = [await rig.enter('api'), await rig.enter('job')];
  const before = await rig.client.call('daemon');
  const pids = await pidsOf(rig, 'api');

  await rig.crashDaemon();
  await api.print('nobody listens');
  await job.exit(9);
  const after = await rig.untilAnswering();

  assert.notEqual(after.pid, before.pid);
  assert.equal(after.guardian, before.guardian);
  assert.deepEqual(await pidsOf(rig, 'api'), pids);
  const done = await rig.untilInstance('job', ({ status }) => status === 'completed');
  assert.equal(done.exit!.code, 9);
  await rig.untilLogged('api', 'nobody listens');
  assert.deepEqual(warnings(await rig.events()), [
    'the daemon was started again by its guardian: it was killed by SIGKILL',
  ]);
});

test('a command that comes while the daemon is away waits until it is back', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const { guardian } = await rig.client.call('daemon');
  await rig.crashDaemon();
  const { code, stdout } = await rig.cli('list', '--quiet');
  assert.deepEqual([code, stdout], [0, 'api\n']);
  assert.equal((await rig.client.call('daemon')).guardian, guardian);
});

test('a killed guardian is replaced, and the new one brings the daemon back, too', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const before = await rig.client.call('daemon');
  await rig.killProcess(before.guardian!);
  const { pid, guardian } = await rig.until('there is another guardian', async () => {
    const daemon = await rig.client.call('daemon');
    return daemon.guardian !== before.guardian && daemon;
  });
  assert.equal(pid, before.pid);

  await rig.crashDaemon();

  const after = await rig.untilAnswering();
  assert.equal(after.guardian, guardian);
  assert.notEqual(after.pid, pid);
});

test('a daemon that is killed with its guardian stays away until the next command', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const pids = await pidsOf(rig, 'api');
  await rig.killDaemon();
  await assert.rejects(rig.client.call('daemon'));
  assert.equal((await rig.cli('list')).code, 0);
  assert.deepEqual(await pidsOf(rig, 'api'), pids);
});

test('a daemon that is stopped takes its guardian along, and is not started again', async () => {
  await using rig = await Rig.create();
  const { pid, guardian } = await rig.client.call('daemon');
  assert.equal((await rig.cli('daemon', 'stop')).code, 0);
  assert.deepEqual([rig.lives(pid), rig.lives(guardian!)], [false, false]);
});

test('a signal to end, to either of the two, ends both', async () => {
  for (const who of ['pid', 'guardian'] as const) {
    await using rig = await Rig.create();
    const daemon = await rig.client.call('daemon');
    process.kill(daemon[who]!, 'SIGTERM');
    await rig.until('both are gone', () => !rig.lives(daemon.pid) && !rig.lives(daemon.guardian!));
  }
});

test('guardians of two homes do not care for each other', async () => {
  await using one = await Rig.create();
  await using other = await Rig.create();
  const before = await other.client.call('daemon');
  await one.crashDaemon();
  await one.untilAnswering();
  assert.equal((await one.cli('daemon', 'stop')).code, 0);
  assert.deepEqual(await other.client.call('daemon'), before);
});

test('a daemon that does not come up again is tried at growing distances, until it does', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const installation = new Installation(rig, 'installation');
  await installation.cli('start', 'sleep 1000000', '--name', 'api');
  const pids = await pidsOf(rig, 'api');
  const mend = installation.rewrite(/^[^]*$/, 'process.exit(42);');

  await rig.crashDaemon();
  await rig.until('it is tried every second or less', () => logOf(rig).includes('again in 2 s'));
  mend();
  await rig.untilAnswering();

  const pauses = [
    ...logOf(rig).matchAll(/ (?:it was killed by SIGKILL|it exited with code 42); it is started again (.*)/g),
  ];
  assert.deepEqual(
    pauses.map(([, pause]) => pause),
    ['at once', 'in 100 ms', 'in 1 s', 'in 2 s'],
  );
  assert.deepEqual(warnings(await rig.events()), [
    'the daemon was started again by its guardian: it was killed by SIGKILL; 3 starts failed since, the last time it exited with code 42',
  ]);
  assert.deepEqual(await pidsOf(rig, 'api'), pids);
});

test('a daemon whose Node is gone comes back with it', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const node = join(rig.folder, 'node');
  copyFileSync(process.execPath, node);
  await new Installation(rig, 'installation', { node }).cli('start', 'sleep 1000000', '--name', 'api');
  const pids = await pidsOf(rig, 'api');
  renameSync(node, `${node}.away`);

  await rig.crashDaemon();
  await rig.until('it is missed', () => logOf(rig).includes('again in 1 s'));
  assert.match(logOf(rig), new RegExp(`${node} could not be executed: No such file or directory`));
  renameSync(`${node}.away`, node);

  await rig.untilAnswering();
  assert.deepEqual(await pidsOf(rig, 'api'), pids);
});

test('a command with another Node does not wait for one that is gone', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const node = join(rig.folder, 'node');
  copyFileSync(process.execPath, node);
  await new Installation(rig, 'installation', { node }).cli('start', 'sleep 1000000', '--name', 'api');
  const { guardian } = await rig.client.call('daemon');
  rmSync(node);
  await rig.crashDaemon();
  await rig.until('it is missed', () => logOf(rig).includes('again in 1 s'));

  assert.equal((await rig.cli('list')).code, 0);

  assert.notEqual((await rig.client.call('daemon')).guardian, guardian);
  await rig.until('the first guardian has left', () => !rig.lives(guardian!));
  assert.match(logOf(rig), /guardian: somebody else has the lock: the daemon is theirs now/);
});

test('a guardian that waits before it starts the daemon again is discouraged by a stop', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const installation = new Installation(rig, 'installation');
  await installation.cli('start', 'sleep 1000000', '--name', 'api');
  const { guardian } = await rig.client.call('daemon');
  const mend = installation.rewrite(/^[^]*$/, 'process.exit(42);');
  await rig.crashDaemon();
  await rig.until('it is tried', () => logOf(rig).includes('again in 1 s'));

  assert.equal((await rig.cli('daemon', 'stop')).code, 0);
  mend();

  await rig.until('the guardian has left', () => !rig.lives(guardian!));
  await assert.rejects(rig.client.call('daemon'));
});

test('a daemon that cannot start at all says so to the command, and leaves nobody', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const installation = new Installation(rig, 'installation');
  installation.rewrite(/^/, 'throw new Error("no luck");');
  const { code, stderr } = await installation.cli('daemon', 'start');
  assert.equal(code, 6);
  assert.match(stderr, /Cannot start the daemon: it exited with code 1; its last words were:[^]*no luck/);
  assert.deepEqual(rig.processes(), []);
});

test('the guardian reaps what the daemon leaves behind', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const shim = readProcess((await rig.instance('api')).pid!)!.parent;
  await rig.crashDaemon();
  const { guardian } = await rig.untilAnswering();
  await rig.until('the shim is below the guardian', () => readProcess(shim)?.parent === guardian);
  await rig.killProcess(shim);
  await rig.until('no zombie is left', () => readProcess(shim) === undefined);
});

function logOf(rig: Rig): string {
  return readFileSync(rig.home.log, 'utf8');
}

async function pidsOf(rig: Rig, service: string): Promise<(number | null)[]> {
  return (await rig.service(service)).instances.map(({ pid }) => pid);
}

function warnings(events: readonly UpkeepEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

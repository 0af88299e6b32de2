import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLI, Program, Rig } from '../rig/index.js';

test('twenty first commands at once start one daemon, and each gets its service', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const names = Array.from({ length: 20 }, (_, index) => `service-${index + 1}`);

  const outcomes = await Promise.all(names.map((name) => rig.cli('start', 'sleep 1000000', '--name', name)));

  assert.deepEqual(
    outcomes.filter(({ code }) => code !== 0),
    [],
  );
  const services = await rig.client.call('services');
  assert.deepEqual(services.map(({ name }) => name).sort(), names.sort());
  assert.equal(readFileSync(rig.home.log, 'utf8').match(/ started, pid /g)!.length, 1);
  assert.equal(rig.processes().filter(({ name }) => name === 'sleep').length, 20);
});

test('a question about a fresh home is answered without starting a daemon', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const { code, stdout } = await rig.cli('list', '--json');
  assert.deepEqual([code, JSON.parse(stdout)], [0, []]);
  assert.equal((await rig.cli('daemon', 'status')).code, 3);
  assert.deepEqual(rig.processes(), []);
});

test('a home whose socket path is too long for the system is refused', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const home = join(rig.folder, 'long'.repeat(30));
  const env = { ...rig.env, UPKEEP_HOME: home };
  const { code, stderr } = await new Program(process.execPath, [CLI, 'list'], { env, cwd: rig.folder }).ended;
  assert.equal(code, 2);
  const bytes = Buffer.byteLength(join(home, 'daemon.sock'));
  assert.equal(
    stderr,
    `Cannot use the home "${home}": its socket path has ${bytes} bytes, the system allows 107\n` +
      '  hint: set UPKEEP_HOME to a shorter path\n',
  );
});

test('the environment of the first command does not leak into services of a configuration file', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  rig.env.STRAY = 'stray';
  rig.write('upkeep.config.json', JSON.stringify({ services: { api: rig.puppet() } }));
  assert.equal((await rig.cli('up')).code, 0);
  assert.equal((await (await rig.enter('api')).env()).STRAY, undefined);
});

test('a daemon that was killed is replaced by the next command, whatever it left in its home', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const { pid } = await rig.instance('api');
  await rig.killDaemon();
  const { stdout } = await rig.cli('list', '--json');
  assert.equal((JSON.parse(stdout) as { instances: { pid: number }[] }[])[0]!.instances[0]!.pid, pid);
});

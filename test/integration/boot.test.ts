/** The daemon and its init system; the units themselves are tried by proofs/boot on a real systemd. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { daemonCommand } from '../../src/client/index.js';
import { readEnvironment } from '../../src/system/index.js';
import { assertSucceeded, Program, Rig } from '../rig/index.js';

/** Prints every datagram on one line. */
const LISTENER = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

test('the init system hears when the daemon is ready and when it stops; services do not know that it listens', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const socket = join(rig.folder, 'notify.sock');
  const init = new Program('python3', ['-c', LISTENER, socket], { env: rig.env, cwd: rig.folder });
  try {
    await rig.until('the init system listens', () => init.lines.includes('bound'));
    const daemon = startAsInitSystem(rig, { NOTIFY_SOCKET: socket, MANAGERPID: '1' });
    await rig.until('it is told READY', () => init.lines.includes('READY=1 '));
    await rig.client.call('daemon'); // listens already
    await rig.up({ api: rig.puppet() });
    for (const { pid } of rig.processes()) {
      const variables = readEnvironment(pid) ?? {};
      if (pid !== daemon.pid) assert.equal(variables['NOTIFY_SOCKET'], undefined);
    }
    daemon.kill('SIGTERM');
    await rig.until('it is told STOPPING', () => init.lines.includes('STOPPING=1 '));
  } finally {
    init.process.kill();
  }
});

test('a daemon that is ended with the machine ends services before what they depend on, and they stay wanted', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const daemon = startAsInitSystem(rig, { NOTIFY_SOCKET: '/nowhere', PATH: fakeSystemctl(rig, 'stopping') });
  await rig.until('the daemon answers', () => answers(rig));
  await rig.up({ database: rig.puppet(), api: rig.puppet({ dependsOn: 'database' }), off: rig.puppet() });
  await rig.request({ kind: 'stop', services: ['off'] });
  daemon.kill('SIGTERM');
  await rig.until('nobody is left', () => rig.processes().length === 0);
  const ends = readFileSync(rig.home.log, 'utf8').match(
    /\w+(?=\.0 attempt 1: (?!why).*the machine goes down)/g,
  );
  assert.deepEqual(ends, ['api', 'database']);
  await rig.startDaemon();
  await rig.untilInstance('api', ({ status }) => status === 'running');
  assert.deepEqual(
    (await rig.client.call('services')).map(({ name, status }) => `${name} ${status}`),
    ['database running', 'api running', 'off stopped'],
  );
});

test('a daemon that alone is ended by its init system leaves services alone', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const daemon = startAsInitSystem(rig, { NOTIFY_SOCKET: '/nowhere', PATH: fakeSystemctl(rig, 'running') });
  await rig.until('the daemon answers', () => answers(rig));
  await rig.up({ api: rig.puppet() });
  const { pid } = await rig.instance('api');
  daemon.kill('SIGTERM');
  await rig.until('the daemon is gone', () => !rig.lives(daemon.pid!));
  await rig.startDaemon();
  assert.equal((await rig.instance('api')).pid, pid);
});

for (const { what, spoil } of [
  { what: 'another kernel', spoil: (boot: string) => `0${boot.slice(1)}` },
  {
    what: 'the same kernel but another first process, as in a container',
    spoil: (boot: string) => `${boot}0`,
  },
]) {
  test(`what ran before a boot is started anew, in the order of dependencies: ${what}`, async () => {
    await using rig = await Rig.create();
    const up = rig.up({
      database: rig.puppet({ ready: { log: 'ready' } }),
      api: rig.puppet({ dependsOn: { database: 'ready' } }),
      job: { command: 'true', restart: 'never' },
    });
    await (await rig.enter('database')).print('ready');
    assertSucceeded(await up);
    await cutPower(rig);
    const noted = join(rig.home.path, 'run', 'boot');
    writeFileSync(noted, spoil(readFileSync(noted, 'utf8')));
    await rig.startDaemon();
    const database = await rig.enter('database', { after: 1 });
    assert.equal((await rig.instance('api')).status, 'stopped');
    await database.print('ready');
    const api = await rig.untilInstance('api', ({ status }) => status === 'running');
    assert.deepEqual([api.attempt, (await rig.instance('job')).status], [2, 'completed']);
  });
}

/** In the place of systemd, with these variables. */
function startAsInitSystem(rig: Rig, env: NodeJS.ProcessEnv): ChildProcess {
  mkdirSync(rig.home.path, { mode: 0o700 });
  const log = openSync(rig.home.log, 'a');
  const [program, ...args] = daemonCommand(rig.home, 'lock');
  return spawn(program!, args, { env: { ...rig.env, ...env }, stdio: ['ignore', log, log] });
}

/** A real one that goes down would take this test with it. Answers a PATH with it. */
function fakeSystemctl(rig: Rig, state: string): string {
  rig.write('systemctl', `#!/bin/sh\necho ${state}\n`, 0o755);
  return `${join(rig.folder, 'app')}:${rig.env.PATH}`;
}

function answers(rig: Rig): Promise<boolean> {
  return rig.client.call('daemon').then(
    () => true,
    () => false,
  );
}

/** Everything ends at once, and nobody sees it. */
async function cutPower(rig: Rig): Promise<void> {
  const everyone = rig.processes();
  for (const { pid } of everyone) process.kill(pid, 'SIGKILL');
  await rig.until('everyone is gone', () => everyone.every(({ pid }) => !rig.lives(pid)));
}

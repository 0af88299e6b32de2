import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EnvironmentView } from '../../src/protocol/index.js';
import { assertSucceeded, failureOf, Rig } from '../rig/index.js';

test('env files are read anew at each start: the later file wins, env wins over all', async () => {
  await using rig = await Rig.create();
  rig.write('first.env', 'A=1\nB=1\nC=1\n');
  rig.write('second.env', 'B=2\nC=2\n');
  const api = rig.puppet({ envFiles: ['first.env', 'second.env'], env: { C: '3' } });
  assertSucceeded(await rig.up({ api }));
  const before = await (await rig.enter('api')).env();
  assert.deepEqual([before.A, before.B, before.C], ['1', '2', '3']);

  rig.write('first.env', 'A=changed\n');
  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  assert.equal((await (await rig.enter('api', { after: 1 })).env()).A, 'changed');
});

test('an env file that is missing fails the start with its name', async () => {
  await using rig = await Rig.create();
  const path = rig.write('settings.env', 'A=1\n');
  await rig.up({ api: rig.puppet({ envFiles: ['settings.env'], restart: 'never' }) });
  rig.remove('settings.env');
  const failure = failureOf(await rig.request({ kind: 'restart', services: ['api'] }));
  assert.equal(failure.code, 'start-failed');
  assert.match(failure.message, new RegExp(`^Cannot start "api": env file ${path} cannot be read`));
});

test('secrets come from files and commands, reach the service, and stand nowhere in the home', async () => {
  await using rig = await Rig.create();
  rig.write('password', 'open sesame\n');
  const secrets = {
    DB_PASSWORD: { file: 'password' },
    API_TOKEN: { command: ['/bin/sh', '-c', 'printf "%s-%s" shibbo leth'] },
  };
  assertSucceeded(await rig.up({ api: rig.puppet({ secrets }) }));
  const env = await (await rig.enter('api')).env();
  assert.deepEqual([env.DB_PASSWORD, env.API_TOKEN], ['open sesame', 'shibbo-leth']);

  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  for (const text of filesOf(rig.home.path)) {
    assert.ok(!text.includes('open sesame') && !text.includes('shibbo-leth'));
  }
});

test('a secret command that fails is told without what it printed', async () => {
  await using rig = await Rig.create();
  const secrets = { API_TOKEN: { command: ['/bin/sh', '-c', 'echo half-a-secret; exit 9'] } };
  const failure = failureOf(await rig.up({ api: rig.puppet({ secrets, restart: 'never' }) }));
  assert.equal(
    failure.message,
    'Cannot start "api": secret API_TOKEN from secret command /bin/sh failed (9)',
  );
  assert.ok(!JSON.stringify(failure).includes('half-a-secret'));
});

test('"env" and "show" mask what looks secret, and reveal it only where that is asked for', async () => {
  await using rig = await Rig.create();
  rig.write('token', 'from-a-file');
  const env = {
    COLOR: 'green',
    DB_PASSWORD: 'plain-password',
    DATABASE_URL: 'postgres://user:url-password@db/shop',
  };
  await rig.up({ api: rig.puppet({ env, secrets: { API_TOKEN: { file: 'token' } } }) });
  const hidden = ['plain-password', 'url-password', 'from-a-file'];

  for (const args of [
    ['env', 'api'],
    ['env', 'api', '--json'],
    ['show', 'api', '--json'],
    ['show', 'api'],
  ]) {
    const { stdout, code } = await rig.cli(...args);
    assert.equal(code, 0);
    for (const value of hidden) assert.ok(!stdout.includes(value), `${args.join(' ')} shows ${value}`);
  }
  const masked = JSON.parse((await rig.cli('env', 'api', '--json')).stdout) as EnvironmentView;
  assert.deepEqual(
    masked.entries.find(({ key }) => key === 'COLOR'),
    {
      key: 'COLOR',
      value: 'green',
      source: masked.entries.find(({ key }) => key === 'COLOR')!.source,
      redacted: false,
    },
  );
  const revealed = (await rig.cli('env', 'api', '--reveal')).stdout;
  for (const value of hidden) assert.ok(revealed.includes(value));
});

test('a variable that is too long for the system fails the start with its reason, and can be deleted', async () => {
  await using rig = await Rig.create();
  const api = { ...rig.puppet({ restart: 'never' }), env: { BIG: 'x'.repeat(128 * 1024) } };
  const failure = failureOf(await rig.up({ api }));
  assert.match(failure.message, /^Cannot start "api": \S+ cannot be executed: E2BIG \(/);
  assert.match((await rig.untilExplained('api', 1)).verdict.hint!, /128 KiB/);
  assert.equal((await rig.instance('api')).exit!.kind, 'spawn-failed');
  assertSucceeded(await rig.request({ kind: 'delete', services: ['api'] }));
});

test('a service is told who it is', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ instances: 2 }) });
  const env = await (await rig.enter('api', { instance: 1 })).env();
  assert.deepEqual(
    [env.UPKEEP_SERVICE, env.UPKEEP_INSTANCE, env.UPKEEP_ATTEMPT, env.UPKEEP_HOME],
    ['api', '1', '1', rig.home.path],
  );
});

/** The text of every file below the folder. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile())
    .map((path) => readFileSync(path, 'utf8'));
}

test('a service runs as the user and group that it names, and may open its own output again', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root may become somebody else');
  await using rig = await Rig.create();
  const command = 'id -un; id -gn; id -Gn; echo again > /dev/stdout; echo "$HOME $USER"; exec sleep 1000';
  assertSucceeded(await rig.up({ api: { command, user: 'nobody', group: 'nogroup', cwd: '/' } }));
  await rig.untilLogged('api', 'nobody\nnogroup\nnogroup\nagain\n/nonexistent nobody\n');
});

test('a user that does not exist any more fails the start with its name', async () => {
  await using rig = await Rig.create();
  const [spec] = await rig.specs({ api: { command: 'sleep 1000', restart: 'never' } });
  const stale = { ...spec!, user: 'nobody-of-the-kind' };
  const failure = failureOf(await rig.request({ kind: 'up', services: [stale] }));
  assert.match(failure.message, /user "nobody-of-the-kind" does not exist/);
});

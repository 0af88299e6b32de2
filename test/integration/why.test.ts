/** `upkeep why`: what is said of an end, by which daemon ever, and what is kept of it. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Rig } from '../rig/index.js';

test('an end is explained, told, kept over a kill of the daemon, and shown', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { ...rig.puppet(), restart: 'never' } });
  await (await rig.enter('api')).throw();
  const { verdict } = await rig.untilExplained('api', 1);
  assert.deepEqual([verdict.cause, verdict.confidence], ['exception', 'certain']);
  const told = (await rig.events('api')).find(({ type }) => type === 'exit-explained');
  assert.equal(told?.type === 'exit-explained' && told.summary, verdict.summary);
  assert.equal(statSync(join(rig.home.path, 'exits', 'api.jsonl')).mode & 0o777, 0o600);

  await rig.killDaemon();
  await rig.startDaemon();
  assert.deepEqual((await rig.untilExplained('api', 1)).verdict, verdict);
  const { stdout } = await rig.cli('why', 'api');
  assert.match(stdout, /api\.0.* attempt 1, pid \d+ ended/);
  assert.match(stdout, /An error that nobody caught/);
  assert.match((await rig.cli('show', 'api')).stdout, /why +an error that nobody caught/);
  const { code, stderr } = await rig.cli('why', 'api', '--attempt', '7');
  assert.deepEqual([code, /none of attempt 7 is known/.test(stderr)], [4, true]);
});

test('a stop is put down to its operation, also by a daemon that did not ask for it', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { ...rig.puppet(), stop: { grace: '60s' } } });
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.until('the daemon has noted what it did', () => isNoted(rig));
  await rig.killDaemon();
  await puppet.exit(0);
  await rig.startDaemon();
  const { verdict } = await rig.untilExplained('api', 1);
  assert.equal(verdict.cause, 'asked');
  assert.match(verdict.summary, /operation \d+ \(stop\)/);
});

function isNoted(rig: Rig): boolean {
  const run = join(rig.home.path, 'run');
  return readdirSync(run).some((name) => existsSync(join(run, name, 'asked')));
}

test('who waits for nothing, cannot be executed or lacks a module is told so', async () => {
  await using rig = await Rig.create();
  const script = (name: string, text: string): { script: string; restart: 'never' } => ({
    script: rig.write(name, text),
    restart: 'never',
  });
  const services = {
    done: script('done.cjs', 'setTimeout(() => undefined, 10)'),
    module: script('module.cjs', 'require("no-such-module")'),
    gone: { command: ['/bin/sh', '-c', 'no-such-program'], restart: 'never' as const },
  };
  await rig.up(services);
  const causes = await Promise.all(
    Object.keys(services).map(async (name) => (await rig.untilExplained(name, 1)).verdict.cause),
  );
  assert.deepEqual(causes, ['out-of-work', 'module-missing', 'interpreter-missing']);
});

test('the tree tells wrappers from the program, and names who serves the port', async () => {
  await using rig = await Rig.create();
  const server = rig.write(
    'server.cjs',
    `require('http').createServer().listen(0, '127.0.0.1', () => console.log('serves'))`,
  );
  await rig.up({
    web: { command: ['/bin/sh', '-c', `${process.execPath} ${server} --token hunter2; true`] },
  });
  await rig.untilLogged('web', 'serves');
  const trees = await rig.client.call('tree', { query: { service: 'web' } });
  const processes = trees[0]?.processes ?? [];
  assert.deepEqual(
    processes.map(({ role, depth, listens }) => [role, depth, listens.length]),
    [
      ['wrapper', 0, 0],
      ['main', 1, 1],
    ],
  );
  const { stdout } = await rig.cli('tree');
  assert.match(stdout, /main .*└─ .*server\.cjs --token \*\*\* {2}← serves 127\.0\.0\.1:\d+/);
});

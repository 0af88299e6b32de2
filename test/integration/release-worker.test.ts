import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { makeReadOnly } from '../../src/release/folder/read-only.js';
import type { WorkerJob } from '../../src/release/worker/message.js';
import { runTask } from '../../src/release/worker/run-task.js';
import { packageRoot } from '../../src/system/index.js';
import { freePort, makeBuild, Shop, until } from '../rig/index.js';
import { NO_HOOKS, ReleaseSite } from '../rig/release-job.js';

/** The first one cannot be asked to end. */
const HOOK = `
trap '' TERM
if [ -e first ]; then kill -0 $(cat first) && touch beside; exit 0; fi
echo $$ > first.new; mv first.new first
sleep 1000
`;

test('a hook whose daemon was killed has ended before the next daemon does it again', async (context) => {
  const site = new ReleaseSite(context);
  const run = ['sh', '-c', HOOK];
  const hooks = { ...NO_HOOKS, beforeSwitch: [{ run, cwd: site.work, timeoutMs: 60_000 }] };
  const job = site.job('1', {}, { hooks });
  const worker = spawn(process.execPath, [join(packageRoot(), 'dist', 'release-worker.js')], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  worker.stdin.write(`${JSON.stringify({ task: 'hooks beforeSwitch', job } satisfies WorkerJob)}\n`);
  await until('its hook runs', () => existsSync(join(site.work, 'first')));

  worker.stdin.destroy(); // as by the end of the daemon
  const closed = once(worker, 'close');
  const { signal } = new AbortController();
  await runTask('hooks beforeSwitch', job, { signal, say: () => undefined, note: () => undefined });

  assert.equal(existsSync(join(site.work, 'beside')), false);
  await closed;
});

test('a plan of a daemon that is not root is taken away, although nothing of it may be written', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root can be another user');
  const site = new ReleaseSite(context);
  const folder = join(site.folder, '1-1.0.0');
  mkdirSync(join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'lib/server.js'), '');
  makeReadOnly(folder);
  execFileSync('chown', ['-R', '65534:65534', site.work]);
  const worker = spawn(process.execPath, [join(packageRoot(), 'dist', 'release-worker.js')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: site.work,
    uid: 65_534,
    gid: 65_534,
  });
  worker.stdin.write(`${JSON.stringify({ task: 'discard', job: site.job('1', { folder }) })}\n`);
  assert.deepEqual(JSON.parse(await text(worker.stdout)), { done: { notes: [] } });
  assert.deepEqual(readdirSync(site.folder), []);
});

test('a plan leaves no folder behind', async () => {
  await using shop = await Shop.create({ port: await freePort() });
  const view = await shop.release(makeBuild(shop.builds, '1.0.0'), { plan: true });
  assert.deepEqual([view.status, view.folder, view.notes], ['succeeded', null, []], view.failure?.message);
  assert.match(view.stages.at(-1)!.text!, /^\d+ checks: /);
  const names = readdirSync((await shop.spec()).folder);
  assert.deepEqual(
    names.filter((name) => /^\.?\d/.test(name)),
    [],
  );
});

test("an installer is told what its settings name of the daemon's environment, and nothing else of it", async (context) => {
  const site = new ReleaseSite(context);
  Object.assign(process.env, { REGISTRY_TOKEN: 'tok-5ecret', OTHER_TOKEN: 'another' });
  context.after(() => {
    delete process.env['REGISTRY_TOKEN'];
    delete process.env['OTHER_TOKEN'];
  });
  const argv = ['/bin/sh', '-c', 'echo "$REGISTRY_TOKEN,$OTHER_TOKEN" > told'];
  const settings = { name: '.npmrc', content: '//registry.example.com/:_authToken=${REGISTRY_TOKEN}\n' };
  const stored = site.store({ name: 'server.js', content: '' }, settings);
  const job = site.job('1', stored, { install: { by: 'command', argv, timeoutMs: 60_000 } });
  const { signal } = new AbortController();
  const listener = { signal, say: () => undefined, note: () => undefined };
  const { folder, build } = await runTask('stage', job, listener);
  await runTask('install', { ...job, folder: folder!, build: build! }, listener);
  assert.equal(readFileSync(join(folder!, 'told'), 'utf8'), 'tok-5ecret,\n');
});

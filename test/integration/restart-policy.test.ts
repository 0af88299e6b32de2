import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { test } from 'node:test';
import { app, Rig } from '../rig/index.js';

const HASTY = { delay: '20ms', maxDelay: '80ms', limit: 5, retry: '300ms' };

test('"always" restarts after a success, too', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  await (await rig.enter('api')).exit(0);
  assert.equal((await rig.enter('api', { after: 1 })).identity.attempt, 2);
});

test('"on-failure" restarts after a failure and completes after a success', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ restart: 'on-failure' }) });
  await (await rig.enter('api')).exit(1);
  await (await rig.enter('api', { after: 1 })).exit(0);
  const { attempt, status } = await rig.untilInstance('api', (instance) => instance.status === 'completed');
  assert.deepEqual([attempt, status], [2, 'completed']);
});

test('"never" completes, whatever the exit code', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ restart: 'never' }) });
  await (await rig.enter('api')).exit(1);
  assert.equal((await rig.untilInstance('api', ({ status }) => status === 'completed')).attempt, 1);
});

test('a stop exit code completes under any policy', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ restart: { policy: 'always', stopExitCodes: [42] } }) });
  await (await rig.enter('api')).exit(41);
  await (await rig.enter('api', { after: 1 })).exit(42);
  assert.equal((await rig.untilInstance('api', ({ status }) => status === 'completed')).attempt, 2);
});

test('the first restart is immediate, the following ones wait longer and longer, up to the crash loop', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { script: app('exits-at-once.sh'), restart: HASTY } });
  const crashed = await rig.untilInstance('api', ({ status }) => status === 'crashed');
  assert.deepEqual([crashed.exit!.code, crashed.exit!.lastLines], [3, ['cannot open the database']]);
  assert.ok(crashed.nextStartAt, 'when it is tried again is told');

  const restarts = (await rig.events('api'))
    .filter((event) => event.type === 'instance-restarting')
    .slice(0, 4);
  assert.deepEqual(
    restarts.map(({ reason }) => reason.replace(/ within .*/, '')),
    ['failure 2 in a row', 'failure 3 in a row', 'failure 4 in a row', 'crash loop: 5 failures'],
  );
  const [second, third, fourth, slow] = restarts.map(({ delayMs }) => delayMs);
  // Each up to a fifth longer, by chance.
  const isNear = (delayMs: number, leastMs: number): boolean =>
    delayMs >= leastMs && delayMs <= 1.2 * leastMs;
  assert.ok(isNear(second!, 20) && isNear(third!, 40) && isNear(fourth!, 80), `${second} ${third} ${fourth}`);
  assert.ok(isNear(slow!, 300), `${slow}`);

  await rig.untilInstance('api', ({ attempt }) => attempt >= 7);
});

test('a crash loop is over after an attempt that outlived it', async () => {
  await using rig = await Rig.create();
  const flag = rig.write('broken', '');
  const command = `test ! -e ${flag} && exec sleep 1000000`;
  await rig.up({
    api: { command: ['/bin/sh', '-c', command], restart: { ...HASTY, stable: '200ms', window: '4s' } },
  });
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  unlinkSync(flag);
  const healed = await rig.untilInstance(
    'api',
    ({ status, uptimeMs }) => status === 'running' && uptimeMs! > 4100,
  );
  process.kill(healed.pid!, 'SIGKILL');
  const next = await rig.untilInstance('api', ({ attempt }) => attempt > healed.attempt);
  const waits = (await rig.events('api')).filter((event) => event.type === 'instance-restarting');
  assert.ok(
    waits.every(({ attempt }) => attempt < healed.attempt),
    'the next restart was immediate again',
  );
  assert.equal(next.attempt, healed.attempt + 1);
});

test('more memory than allowed is answered by a graceful restart', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ limits: { memory: '150MB' } }) });
  const puppet = await rig.enter('api');
  await puppet.exitOn('SIGTERM', 0, 'saved everything');
  await puppet.allocate(160 * 1024 * 1024);

  const next = await rig.enter('api', { after: 1 });
  assert.equal(next.identity.attempt, 2);
  const { exit } = await rig.instance('api');
  assert.equal(exit!.code, 0);
  assert.match(exit!.askedBy!, /^upkeep: memory limit: \d+ MB of 150 MB$/);
  assert.match(await rig.log('api'), /saved everything/);
});

test('the memory of descendants counts', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ limits: { memory: '150MB' }, instances: 1 }) });
  const puppet = await rig.enter('api');
  void puppet
    .exec(`${process.execPath} -e "const a = Buffer.alloc(2e8, 1); setInterval(() => a, 1e6)"`)
    .catch(() => undefined);
  assert.equal((await rig.enter('api', { after: 1 })).identity.attempt, 2);
});

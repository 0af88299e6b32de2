/** Errors are counted while daemons are killed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { app, Rig } from '../rig/index.js';

const COUNT = 400;
const KILLS = 6;

test('however often the daemon is killed, every error is counted once and told at most once', async () => {
  await using rig = await Rig.create();
  const failures = Array.from({ length: COUNT / 4 }, () => 'type 1,line 1,range 1,json 1').join(',');
  await rig.up({
    api: { script: app('fails.js'), instances: 2, ports: [], env: { FAILURES: failures, PAUSE: '8' } },
  });
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(100 + Math.random() * 400); // a moment of chance, not a wait for anything
    await rig.killDaemon();
    await rig.startDaemon();
  }
  await rig.until('both have written all', async () => (await rig.log('api')).split('done').length === 3);
  const expected = (2 * COUNT) / 4;
  const kinds = await rig.until('all are counted', async () => {
    const found = (await rig.client.call('errors', { query: { service: 'api' } })).kinds;
    return found.reduce((sum, { count }) => sum + count, 0) >= 2 * COUNT && found;
  });
  assert.deepEqual(
    kinds.map(({ count }) => count),
    [expected, expected, expected, expected],
  );
  const told = (await rig.events('api')).filter((event) => event.type === 'error-kind-new');
  assert.equal(new Set(told.map(({ id }) => id)).size, told.length, 'none is told twice');
});

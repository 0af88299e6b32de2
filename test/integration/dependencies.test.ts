import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus } from '../../src/protocol/index.js';
import { assertSucceeded, Rig } from '../rig/index.js';

const SLOW = { log: 'open for business', timeout: '20s' };

test('a dependent starts only when its dependency is ready', async () => {
  await using rig = await Rig.create();
  const services = { web: rig.puppet({ dependsOn: ['db'] }), db: rig.puppet({ ready: SLOW }) };
  const { id } = await rig.accept({ kind: 'up', services: [...(await rig.specs(services))] });

  const db = await rig.enter('db');
  assert.equal((await rig.instance('web')).attempt, 0);
  await db.print('open for business');

  assertSucceeded(await rig.ended(id));
  assert.deepEqual(await order(rig, 'running'), ['db', 'web']);
});

test('"stop all" ends dependents before what they depend on', async () => {
  await using rig = await Rig.create();
  assertSucceeded(
    await rig.up({
      db: rig.puppet(),
      api: rig.puppet({ dependsOn: ['db'] }),
      web: rig.puppet({ dependsOn: ['api'] }),
    }),
  );
  assertSucceeded(await rig.request({ kind: 'stop', services: 'all' }));
  assert.deepEqual(await order(rig, 'stopped'), ['web', 'api', 'db']);
});

test('"restart all" ends dependents first and starts them last', async () => {
  await using rig = await Rig.create();
  await rig.up({
    web: rig.puppet({ dependsOn: ['api'] }),
    api: rig.puppet({ dependsOn: ['db'] }),
    db: rig.puppet(),
  });
  const { seq } = (await rig.events()).at(-1)!;
  assertSucceeded(await rig.request({ kind: 'restart', services: 'all' }));
  assert.deepEqual(await order(rig, 'stopped', seq), ['web', 'api', 'db']);
  assert.deepEqual(await order(rig, 'running', seq), ['db', 'api', 'web']);
});

test('restartWithDependencies takes a dependent along, others stay', async () => {
  await using rig = await Rig.create();
  await rig.up({
    db: rig.puppet(),
    follower: rig.puppet({ dependsOn: ['db'], restartWithDependencies: true }),
    loner: rig.puppet({ dependsOn: ['db'] }),
  });
  const operation = await rig.request({ kind: 'restart', services: ['db'] });
  assertSucceeded(operation);
  assert.deepEqual(operation.steps.map(({ service }) => service).sort(), ['db', 'follower']);
  const attempts = ['db', 'follower', 'loner'].map(async (name) => (await rig.instance(name)).attempt);
  assert.deepEqual(await Promise.all(attempts), [2, 2, 1]);
});

test('a start takes stopped dependencies along', async () => {
  await using rig = await Rig.create();
  await rig.up({ db: rig.puppet(), web: rig.puppet({ dependsOn: ['db'] }) });
  await rig.request({ kind: 'stop', services: 'all' });
  assertSucceeded(await rig.request({ kind: 'start', services: ['web'] }));
  assert.equal((await rig.instance('db')).status, 'running');
});

test('a dependent does not start where its dependency failed, and says so', async () => {
  await using rig = await Rig.create();
  const db = { command: ['/bin/sh', '-c', 'exit 1'], restart: 'never' as const, ready: SLOW };
  const operation = await rig.up({ db, web: rig.puppet({ dependsOn: ['db'] }) });
  const web = operation.steps.find(({ service }) => service === 'web')!;
  assert.equal(web.status, 'skipped');
  assert.equal(web.failure!.code, 'dependency-failed');
  assert.equal(
    web.failure!.message,
    'Cannot start "web": it depends on "db", which did not start: exit code 1',
  );
  assert.equal((await rig.instance('web')).attempt, 0);
});

test('"completed" waits for the end of a one-off, and only a success counts', async () => {
  await using rig = await Rig.create();
  const migrate = rig.puppet({ restart: 'never' });
  const services = { migrate, web: rig.puppet({ dependsOn: { migrate: 'completed' } }) };
  const { id } = await rig.accept({ kind: 'up', services: [...(await rig.specs(services))] });
  const migration = await rig.enter('migrate');
  assert.equal((await rig.instance('web')).attempt, 0);
  await migration.exit(0);
  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('web')).status, 'running');
});

/** Services in the order in which they reached the status. */
async function order(rig: Rig, status: InstanceStatus, after = 0): Promise<string[]> {
  return (await rig.events()).flatMap((event) =>
    event.type === 'instance-status' && event.to === status && event.seq > after ? [event.service] : [],
  );
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationView } from '../../src/protocol/index.js';
import { assertSucceeded, failureOf, Rig } from '../rig/index.js';

const READY = { log: 'open for business', timeout: '20s' };

/** A service that runs, and takes its time to become ready again. */
async function createRig(): Promise<Rig> {
  const rig = await Rig.create();
  const up = await rig.accept({
    kind: 'up',
    services: [...(await rig.specs({ api: rig.puppet({ ready: READY }) }))],
  });
  await open(rig, 0);
  assertSucceeded(await rig.ended(up.id));
  return rig;
}

/** Makes the attempt after this one ready. */
async function open(rig: Rig, after: number): Promise<void> {
  await (await rig.enter('api', { after })).print('open for business');
}

test('two operations on one service never interleave', async () => {
  await using rig = await createRig();
  const first = await rig.accept({ kind: 'restart', services: ['api'] });
  await rig.enter('api', { after: 1 });
  const second = await rig.accept({ kind: 'scale', service: 'api', instances: 2 });
  assert.equal(second.status, 'queued');

  await open(rig, 1);
  await (await rig.enter('api', { instance: 1 })).print('open for business');

  const ends = [await rig.ended(first.id), await rig.ended(second.id)] as const;
  ends.forEach(assertSucceeded);
  assert.ok(ends[0].finishedAt! <= ends[1].startedAt!);
});

test('operations on different services do not wait for each other', async () => {
  await using rig = await createRig();
  assertSucceeded(await rig.up({ other: rig.puppet() }));
  const slow = await rig.accept({ kind: 'restart', services: ['api'] });
  assertSucceeded(await rig.request({ kind: 'restart', services: ['other'] }));
  assert.equal((await rig.client.call('operation', { params: { id: slow.id } })).status, 'running');
  await open(rig, 1);
  assertSucceeded(await rig.ended(slow.id));
});

test('identical operations that wait are done once, and all who asked learn the result', async () => {
  await using rig = await createRig();
  const running = await rig.accept({ kind: 'restart', services: ['api'] });
  await rig.enter('api', { after: 1 });
  const waiting: OperationView[] = [];
  for (let count = 0; count < 5; count++)
    waiting.push(await rig.accept({ kind: 'restart', services: ['api'] }));

  assert.equal(new Set(waiting.map(({ id }) => id)).size, 1);
  assert.notEqual(waiting[0]!.id, running.id, 'what has begun cannot be joined');
  await open(rig, 1);
  await open(rig, 2);
  const end = await rig.ended(waiting[0]!.id);
  assertSucceeded(end);
  assert.equal(end.joined.length, 4);
  assert.equal((await rig.instance('api')).attempt, 3);
});

test('a stop supersedes a start that waits for its service to become ready', async () => {
  await using rig = await createRig();
  const restart = await rig.accept({ kind: 'restart', services: ['api'] });
  await rig.enter('api', { after: 1 });

  const stop = await rig.request({ kind: 'stop', services: ['api'] });

  assertSucceeded(stop);
  const failure = failureOf(await rig.ended(restart.id));
  assert.equal(failure.code, 'superseded');
  assert.match(failure.message, new RegExp(`operation ${stop.id} \\(stop\\) came after it$`));
  assert.equal((await rig.instance('api')).status, 'stopped');
});

test('a client that is killed midway changes nothing', async () => {
  await using rig = await createRig();
  const client = rig.follow('restart', 'api');
  await rig.enter('api', { after: 1 });

  client.process.kill('SIGKILL');
  await client.ended;
  await open(rig, 1);

  const [operation] = await rig.client.call('operations');
  assert.equal(operation!.kind, 'restart');
  assertSucceeded(await rig.ended(operation!.id));
  assert.equal((await rig.instance('api')).status, 'running');
});

test('after ctrl-C a command leaves with 130, and the daemon goes on', async () => {
  await using rig = await createRig();
  const client = rig.follow('restart', 'api');
  await rig.enter('api', { after: 1 });

  client.process.kill('SIGINT');

  const { code, stderr } = await client.ended;
  assert.equal(code, 130);
  assert.match(stderr, /The daemon goes on with operation \d+ \(restart\)/);
  await open(rig, 1);
  const [operation] = await rig.client.call('operations');
  assertSucceeded(await rig.ended(operation!.id));
});

test('an operation knows the managed service that asked for it, and tells the attempt that it started', async () => {
  await using rig = await Rig.create();
  await rig.up({ asker: rig.puppet(), other: rig.puppet() });
  const asker = await rig.enter('asker');

  const { code } = await asker.exec(rig.command('restart', 'other'));

  assert.equal(code, 0);
  const [operation] = await rig.client.call('operations');
  const { service, instance, attempt, command } = operation!.requester;
  assert.deepEqual([service, instance, attempt], ['asker', 0, 1]);
  assert.match(command!, /upkeep\.js restart other$/);
  assert.equal((await rig.enter('other', { after: 1 })).identity.operation, operation!.id);
});

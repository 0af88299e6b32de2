/** New instances of a group come beside the old ones, are judged, let in, and then kept or sent away; nobody outside notices. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import type { CheckSpec, OperationView, ServiceSpec } from '../../src/protocol/index.js';
import {
  answered,
  answersOf,
  assertSucceeded,
  freePort,
  isRefused,
  keepWaiting,
  Load,
  pidsOf,
  releasable,
  Releasing,
  type Rig,
  rolesOf,
  visit,
  type Look,
} from '../rig/index.js';

type Specs = readonly ServiceSpec[];

for (const instances of [1, 4]) {
  const title = instances === 1 ? 'one instance' : `${instances} instances`;

  test(`a release is switched to, and nobody outside notices (${title})`, async () => {
    await using releasing = await Releasing.create();
    const { rig } = releasing;
    const port = await freePort();
    assertSucceeded(await rig.up({ api: releasable(port, 'old', { instances }) }));
    const before = await pidsOf(releasing);
    const specs = await specsOf(releasing, port, 'new', instances);
    await using load = new Load(port);

    await releasing.ask('boot', '1', specs, { stableMs: 200 });
    assert.deepEqual(await rolesOf(releasing), { serving: instances, new: instances });
    assert.deepEqual(await pidsOf(releasing, 'serving'), before);
    await answered(releasing, load, 'old');
    assert.equal(answersOf(load, 'new'), 0, 'what was not let in takes no traffic');

    await releasing.ask('join', '1', specs, { count: 1 });
    assert.deepEqual(await rolesOf(releasing), {
      serving: instances,
      joined: 1,
      ...(instances > 1 ? { new: instances - 1 } : {}),
    });
    await answered(releasing, load, 'new');
    await answered(releasing, load, 'old');
    await releasing.ask('join', '1', specs);
    assert.deepEqual(await rolesOf(releasing), { serving: instances, joined: instances });
    const look = await releasing.ask<Look>('look', '1', specs);
    assert.ok(requestsOf(look, 'new') > 0 && requestsOf(look, 'old') > 0, 'both sides count');
    assert.ok(look.every(({ rssBytes, takesTraffic }) => rssBytes !== null && takesTraffic));
    const guests = await pidsOf(releasing, 'joined');

    await releasing.ask('commit', '1', specs);
    assert.deepEqual(await rolesOf(releasing), { serving: instances });
    assert.deepEqual(await pidsOf(releasing), guests);
    await answered(releasing, load, 'new');
    assert.deepEqual(load.failures, []);
    assert.equal(rig.state().services[0]!.spec.env['RELEASE']?.value, 'new');
    const [operation] = await rig.client.call('operations');
    assert.deepEqual([operation!.kind, operation!.release, operation!.status], ['release', '1', 'succeeded']);
    assert.equal((await rig.service('api')).restarts, instances);
    await releasing.ask('commit', '1', specs); // again
    assert.equal(releasing.complaints, '');
  });

  test(`a release that has joined is taken back, and nobody outside notices (${title})`, async () => {
    await using releasing = await Releasing.create();
    const { rig } = releasing;
    const port = await freePort();
    assertSucceeded(await rig.up({ api: releasable(port, 'old', { instances }) }));
    const before = await pidsOf(releasing);
    const specs = await specsOf(releasing, port, 'new', instances);
    await using load = new Load(port);
    await releasing.ask('boot', '1', specs);
    await releasing.ask('join', '1', specs);
    await answered(releasing, load, 'new');

    const because = { code: 'release-failed', message: 'Cannot release "api": too many errors' };
    await releasing.ask('revert', '1', specs, { because });
    await releasing.ask('revert', '1', specs); // again
    assert.deepEqual(await pidsOf(releasing), before);
    assert.deepEqual(await rolesOf(releasing), { serving: instances });
    await answered(releasing, load, 'old');
    assert.deepEqual(load.failures, []);
    const [operation] = await rig.client.call('operations');
    assert.equal(operation!.status, 'failed');
    assert.equal(operation!.steps[0]!.failure!.message, because.message);
    assert.equal((await rig.service('api')).failure!.message, because.message);
    assert.equal(releasing.complaints, '');
  });

  for (const [fault, reason] of [
    ['exits', /Cannot release "api": the new instance failed: exit code 3$/],
    ['hangs', /the new instance failed: not ready within 2s \(nothing listens on port \d+\)$/],
    // Several of them fight for the other port.
    [
      'elsewhere',
      /the new instance failed: (exit code 1\b|not ready within 2s \(nothing listens on .* listens on)/,
    ],
    ['red', /the new instance failed: it was not verified within 1s \(.*(500|no answer)/],
  ] as const) {
    test(`a release whose fault is "${fault}" never serves (${title})`, async () => {
      await using releasing = await Releasing.create();
      const port = await freePort();
      assertSucceeded(await releasing.rig.up({ api: releasable(port, 'old', { instances }) }));
      const before = await pidsOf(releasing);
      const specs = await specsOf(releasing, port, 'new', instances, fault);
      await using load = new Load(port);
      await assert.rejects(releasing.ask('boot', '1', specs), reason);
      assert.deepEqual(await rolesOf(releasing), { serving: instances });
      assert.deepEqual(await pidsOf(releasing), before);
      await answered(releasing, load, 'old');
      assert.deepEqual([answersOf(load, 'new'), load.failures], [0, []]);
      await releasing.ask('revert', '1', specs);
      assert.match((await releasing.rig.service('api')).failure!.message, reason);
      assert.equal(releasing.complaints, '');
    });
  }
}

const IN_PLACE = { sockets: 'off', ready: 'port' } as const;

test('what cannot live beside the old one comes in its place, and the old one comes back', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old', IN_PLACE) }));
  const specs = await rig.specs({ api: releasable(port, 'new', IN_PLACE) });
  const [old] = await pidsOf(releasing);
  const { notes } = await releasing.ask<{ notes: string[] }>('boot', '1', specs);
  assert.match(notes.join(), /^api: it opens its ports by itself, so each instance is stopped before/);
  assert.deepEqual(await pidsOf(releasing), [old]);
  await releasing.ask('join', '1', specs);
  assert.match(await visit(port), /^new /);
  assert.ok(!rig.lives(old!));
  await releasing.ask('revert', '1', specs);
  await rig.untilInstance('api', ({ status }) => status === 'running');
  assert.match(await visit(port), /^old /);

  const failing = await rig.specs({ api: releasable(port, 'new', { ...IN_PLACE, env: { FAULT: 'exits' } }) });
  await releasing.ask('boot', '2', failing);
  await assert.rejects(releasing.ask('join', '2', failing), /the new instance failed: exit code 3$/);
  await rig.untilInstance('api', ({ status }) => status === 'running');
  assert.match(await visit(port), /^old /);
  await releasing.ask('revert', '2', failing);

  await releasing.ask('boot', '3', specs);
  await releasing.ask('commit', '3', specs);
  assert.match(await visit(port), /^new /);
  assert.deepEqual(await rolesOf(releasing), { serving: 1 });
  assert.equal(releasing.complaints, '');
});

/** Ready, and only killed where it is the second one of this release. */
const STUBBORN = `
if (process.env.RELEASE === 'new' && process.env.UPKEEP_INSTANCE === '1') process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 1000);
process.send('ready');
`;

test('where new ones that came in the place of old ones go, no old one waits for the slowest of them', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  const script = rig.write('stubborn.cjs', STUBBORN);
  const alone = { ...IN_PLACE, script, instances: 3, ready: 'message', stop: { grace: '10m' } } as const;
  assertSucceeded(await rig.up({ api: releasable(port, 'old', alone) }));
  const specs = await rig.specs({ api: releasable(port, 'new', alone) });
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  const { instances } = await rig.service('api');
  const stubborn = instances.find(({ index, role }) => index === 1 && role === 'joined')!;
  const reverted = releasing.ask('revert', '1', specs);
  const serving = async (): Promise<string> => {
    const all = (await rig.service('api')).instances.filter(({ role }) => role === 'serving');
    return all.map(({ status }) => status).join();
  };
  try {
    await rig.until('the others are back', async () => (await serving()) === 'running,stopped,running');
    assert.ok(rig.lives(stubborn.pid!));
  } finally {
    process.kill(stubborn.pid!, 'SIGKILL');
  }
  await reverted;
  await rig.until('all are back', async () => (await serving()) === 'running,running,running');
});

for (const [from, to] of [
  [1, 3],
  [3, 1],
] as const) {
  test(`a release may have another number of instances (${from} to ${to})`, async () => {
    await using releasing = await Releasing.create();
    const { rig } = releasing;
    const port = await freePort();
    assertSucceeded(await rig.up({ api: releasable(port, 'old', { instances: from }) }));
    const specs = await specsOf(releasing, port, 'new', to);
    await using load = new Load(port);
    await releasing.ask('boot', '1', specs);
    await releasing.ask('join', '1', specs);
    await releasing.ask('revert', '1', specs);
    assert.deepEqual(await rolesOf(releasing), { serving: from });
    await releasing.ask('boot', '2', specs);
    await releasing.ask('commit', '2', specs);
    assert.deepEqual(await rolesOf(releasing), { serving: to });
    await answered(releasing, load, 'new');
    assert.deepEqual(load.failures, []);
    assert.equal(releasing.complaints, '');
  });
}

test('the way back does not wait for old ones that still answer', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  const patient = { stop: { drain: '60s' } } as const;
  assertSucceeded(await rig.up({ api: releasable(port, 'old', patient) }));
  const [old] = await pidsOf(releasing);
  const specs = await rig.specs({ api: releasable(port, 'new', patient) });
  const back = await rig.specs({ api: releasable(port, 'old', patient) });
  using waiting = await keepWaiting(port);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('exchange', '1', specs);
  assert.deepEqual(await rolesOf(releasing), { serving: 1, old: 1 });
  await releasing.ask('boot', '1 back', back);
  await releasing.ask('exchange', '1 back', back);
  assert.ok(rig.lives(old!));
  assert.match(await visit(port), /^old /);
  const operations = await rig.client.call('operations');
  assert.deepEqual(
    operations.slice(0, 2).map(({ release, status }) => [release, status]),
    [
      ['1 back', 'succeeded'],
      ['1', 'succeeded'],
    ],
  );
  waiting[Symbol.dispose]();
  await rig.until('one serves alone', async () => (await pidsOf(releasing)).length === 1);
  assert.ok(!rig.lives(old!));
  assert.equal(releasing.complaints, '');
});

test('services that are new or stopped begin with the release, and are as before where it is taken back', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const [one, two] = [await freePort(), await freePort()];
  assertSucceeded(await rig.up({ api: releasable(one, 'old') }));
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  const specs = await rig.specs({
    api: releasable(one, 'new'),
    web: releasable(two, 'new', { dependsOn: ['api'] }),
  });
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  assert.match(await visit(two), /^new /);
  await releasing.ask('revert', '1', specs);
  const services = await rig.client.call('services');
  assert.deepEqual(
    services.map(({ name, status, instances }) => [name, status, instances.length]),
    [['api', 'stopped', 1]],
  );
  assert.ok(await isRefused(one));
  assert.ok(await isRefused(two));

  await releasing.ask('boot', '2', specs);
  await releasing.ask('commit', '2', specs);
  assert.match(await visit(one), /^new /);
  assert.match(await visit(two), /^new /);
  assert.deepEqual(
    rig.state().services.map(({ spec, isWanted }) => [spec.name, isWanted]),
    [
      ['api', true],
      ['web', true],
    ],
  );
  assert.equal(releasing.complaints, '');
});

test('on the way back what is stopped stays so, by the new description, and what is deleted does not come again', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const group = (release: string): Record<string, ServiceConfig> => ({
    api: releasable(ports[0], release, { dependsOn: ['web', 'worker'] }),
    web: releasable(ports[1], release),
    worker: releasable(ports[2], release),
  });
  assertSucceeded(await rig.up(group('bad')));
  assertSucceeded(await rig.request({ kind: 'stop', services: ['web'] }));
  assertSucceeded(await rig.request({ kind: 'delete', services: ['worker'] }));
  const specs = await rig.specs(group('good'));
  await releasing.ask('boot', 'back', specs, { onlyWanted: true });
  await releasing.ask('commit', 'back', specs);
  const now = (): string[] =>
    rig
      .state()
      .services.map(({ spec, isWanted }) => `${spec.name} ${spec.env['RELEASE']?.value} ${isWanted}`)
      .sort();
  const expected = ['api good true', 'web good false'];
  assert.deepEqual(now(), expected);
  assert.match(await visit(ports[0]), /^good /);
  assert.ok(await isRefused(ports[1]));
  await releasing.next();
  assert.deepEqual(now(), expected);
  assert.ok(await isRefused(ports[1]));
  assertSucceeded(await rig.request({ kind: 'start', services: ['web'] }));
  assert.match(await visit(ports[1]), /^good /);
  assert.equal(releasing.complaints, '');
});

test('one service of a group that is not fit sends all of it away', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const [one, two] = [await freePort(), await freePort()];
  assertSucceeded(await rig.up({ api: releasable(one, 'old'), web: releasable(two, 'old') }));
  const before = [await pidsOf(releasing), await pidsOf(releasing, undefined, 'web')];
  const specs = await rig.specs({
    api: releasable(one, 'new'),
    web: releasable(two, 'new', { env: { FAULT: 'exits' } }),
  });
  await assert.rejects(releasing.ask('boot', '1', specs), /^Error: Cannot release "web"/);
  assert.deepEqual([await pidsOf(releasing), await pidsOf(releasing, undefined, 'web')], before);
  const [{ steps }] = (await rig.client.call('operations')) as [OperationView];
  assert.deepEqual(
    steps.map(({ service, status }) => [service, status]),
    [
      ['api', 'skipped'],
      ['web', 'failed'],
    ],
  );
});

test('a new instance that ends is told and not restarted; smoke checks ask exactly the one that is meant', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old') }));
  const specs = await specsOf(releasing, port, 'new', 2);
  await releasing.ask('boot', '1', specs);
  const check = (path: string, instance = 1): Promise<{ isSuccess: boolean; detail: string }> =>
    releasing.ask('check', '1', specs, {
      service: 'api',
      instance,
      check: { on: 'http', url: `http://127.0.0.1:${port}${path}`, status: null } satisfies CheckSpec,
    });
  assert.deepEqual((await check('/')).isSuccess, true);
  const fallen = releasing.ask<string>('fallen', '1', specs);
  assert.deepEqual((await check('/end')).isSuccess, false);
  assert.equal(await fallen, 'api.1: exit code 4');
  await assert.rejects(releasing.ask('commit', '1', specs), /exit code 4/);
  const look = await releasing.ask<Look>('look', '1', specs);
  assert.deepEqual(
    look.map(({ side, instance, ended, restarts }) => [side, instance, ended, restarts]),
    [
      ['old', 0, null, 0],
      ['new', 0, null, 0],
      ['new', 1, 'exit code 4', 0],
    ],
  );
  await assert.rejects(releasing.ask('boot', '1', specs), /exit code 4/);
  assert.deepEqual(await rolesOf(releasing), { serving: 1 });
  await releasing.ask('revert', '1', specs);
});

test('after the commit whoever falls is told, and restarted as ever; a restart on request is no fall', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old') }));
  const specs = await specsOf(releasing, port, 'new', 1);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  const fallen = releasing.ask<string>('fallen', '1', specs);
  assertSucceeded(await rig.request({ kind: 'restart', services: ['api'] }));
  const isStill = await Promise.race([fallen, Promise.resolve('nobody')]);
  assert.equal(isStill, 'nobody');
  await visit(port, { path: '/end' }).catch(() => undefined);
  assert.equal(await fallen, 'api.0: exit code 4');
  await rig.untilInstance('api', ({ status, attempt }) => status === 'running' && attempt === 4);
  const [view] = await releasing.ask<Look>('look', '1', specs);
  assert.deepEqual([view!.side, view!.restarts], ['new', 2]);
});

test('a job that has done its work by the commit has not fallen; one that is killed after it has', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  const fixture = (name: string, work: string): Record<string, ServiceConfig> => ({
    [name]: { script: rig.write(`${name}.cjs`, work), restart: 'on-failure' },
  });
  const jobs = {
    ...fixture('migrate', ''),
    ...fixture('warm', `require('http').createServer().listen(${port});`),
  };
  const specs = await rig.specs({ api: releasable(await freePort(), 'new'), ...jobs });
  await releasing.ask('boot', '1', specs);
  await rig.until('the job has ended', async () =>
    (await rig.events('migrate')).some(({ type }) => type === 'instance-exited'),
  );
  await releasing.ask('commit', '1', specs);
  assert.equal((await rig.instance('migrate')).status, 'completed');
  const fallen = releasing.ask<string>('fallen', '1', specs);
  await rig.untilInstance('warm', ({ status }) => status === 'running');
  const { pid } = await rig.instance('warm');
  const isStill = await Promise.race([fallen, Promise.resolve('nobody')]);
  assert.equal(isStill, 'nobody');
  process.kill(pid!, 'SIGKILL');
  assert.match(await fallen, /^warm\.0: .*SIGKILL/);
});

test('other operations wait for a release; a stop ends it', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old') }));
  const specs = await specsOf(releasing, port, 'new', 1);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  const reload = await rig.accept({ kind: 'reload', services: ['api'] });
  const fallen = releasing.ask<string>('fallen', '1', specs);
  assert.equal((await rig.client.call('operation', { params: { id: reload.id } })).status, 'queued');
  const stop = await rig.accept({ kind: 'stop', services: ['api'] });
  assert.match(await fallen, new RegExp(`operation ${stop.id} \\(stop\\) came after it`));
  assertSucceeded(await rig.ended(stop.id));
  assert.equal((await rig.ended(reload.id)).status, 'failed');
  assert.deepEqual(
    (await rig.service('api')).instances.map(({ role, status }) => [role, status]),
    [['serving', 'stopped']],
  );
  await assert.rejects(releasing.ask('commit', '1', specs), /./);
  await releasing.ask('revert', '1', specs);
  assert.ok(await isRefused(port));
  assert.equal(rig.state().services[0]!.isWanted, false);
  assert.equal(releasing.complaints, '');
});

test('a release is given up by its operation, and while it boots', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old') }));
  const before = await pidsOf(releasing);
  const specs = await specsOf(releasing, port, 'new', 1);
  const isBooting = (): Promise<boolean> => rolesOf(releasing).then((roles) => roles['new'] === 1);
  const first = releasing.ask('boot', '1', specs, { stableMs: 60_000 });
  await rig.until('it boots', isBooting);
  const [{ id }] = (await rig.client.call('operations')) as [OperationView];
  await rig.client.call('abort', { params: { id } });
  await assert.rejects(first, /was aborted$/);
  const second = releasing.ask('boot', '2', specs, { stableMs: 60_000 });
  await rig.until('it boots', isBooting);
  await releasing.ask('abort', '2', specs);
  await assert.rejects(second, /./);
  assert.deepEqual(await pidsOf(releasing), before);
  assert.equal(releasing.complaints, '');
});

test('requests that have begun are answered by whoever has begun them, when either side goes', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  assertSucceeded(await rig.up({ api: releasable(port, 'old') }));
  const specs = await specsOf(releasing, port, 'new', 1);
  for (const [release, last] of [
    ['1', 'revert'],
    ['2', 'commit'],
  ] as const) {
    await releasing.ask('boot', release, specs);
    await releasing.ask('join', release, specs);
    const begun = await beginAtBoth(rig, port);
    await releasing.ask(last, release, specs);
    for (const { by, answer } of begun) assert.equal((await answer).split(' ')[0], by);
  }
});

interface Begun {
  /** Who has begun to answer. */
  readonly by: string;
  readonly answer: Promise<string>;
}

/** Slow requests, until each side has begun one. */
async function beginAtBoth(rig: Rig, port: number): Promise<readonly Begun[]> {
  const begun: Begun[] = [];
  await rig.until('both have begun', async () => {
    begun.push(...(await Promise.all(Array.from({ length: 5 }, () => begin(port)))));
    return new Set(begun.map(({ by }) => by)).size === 2;
  });
  return begun;
}

async function begin(port: number): Promise<Begun> {
  const request = get({ port, path: '/slow', agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const answer = text(response);
  answer.catch(() => undefined); // whoever cares awaits it
  return { by: String(response.headers['release']), answer };
}

/** `api` by another release. */
async function specsOf(
  { rig }: Releasing,
  port: number,
  release: string,
  instances: number,
  fault = '',
): Promise<Specs> {
  const verify = { http: '/health', timeout: '1s' };
  const reload = fault === 'red' ? { reload: { verify } } : {};
  return rig.specs({ api: releasable(port, release, { instances, env: { FAULT: fault }, ...reload }) });
}

function requestsOf(look: Look, side: 'old' | 'new'): number {
  return look.reduce((sum, view) => sum + (view.side === side ? (view.counts?.requests ?? 0) : 0), 0);
}

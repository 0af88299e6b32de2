/** New instances of a group come beside the old ones, are judged, let in, and then kept or sent away; nobody outside notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '../../src/protocol/index.js';
import { assertSucceeded, freePort, Load, releasable, Releasing, type Look } from '../rig/index.js';

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
      /the new instance failed: (exit code 1$|not ready within 2s \(nothing listens on .* listens on)/,
    ],
    ['red', /the new instance failed: it was not verified within 1s \(.*500/],
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

async function pidsOf({ rig }: Releasing, role?: string): Promise<number[]> {
  const { instances } = await rig.service('api');
  return instances
    .filter((instance) => role === undefined || instance.role === role)
    .flatMap(({ pid }) => pid ?? [])
    .sort((a, b) => a - b);
}

async function rolesOf({ rig }: Releasing, name = 'api'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { role } of (await rig.service(name)).instances) counts[role] = (counts[role] ?? 0) + 1;
  return counts;
}

function answersOf(load: Load, release: string): number {
  return [...load.answers].reduce((sum, [body, count]) => sum + (body.startsWith(release) ? count : 0), 0);
}

async function answered({ rig }: Releasing, load: Load, release: string): Promise<void> {
  const before = answersOf(load, release);
  await rig.until(`${release} answers`, () => answersOf(load, release) > before);
}

function requestsOf(look: Look, side: 'old' | 'new'): number {
  return look.reduce((sum, view) => sum + (view.side === side ? (view.counts?.requests ?? 0) : 0), 0);
}

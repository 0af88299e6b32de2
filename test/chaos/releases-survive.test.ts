/**
 * The daemon is killed, and its guardian with it, again and again while it makes one release, at each stage that it comes to. The release
 * ends in what it would have ended in.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELEASE_STAGES, type ReleaseSpec, type ReleaseView } from '../../src/protocol/index.js';
import {
  afterAccepted,
  followTo,
  freePort,
  makeBuild,
  Shop,
  whatIsNotWhole,
  type Kind,
} from '../rig/index.js';

interface Case {
  readonly kind: Kind;
  /** Stages, and `reverting`. */
  readonly killedAt: readonly string[];
  /** Of these at least: others may be over before they are seen. */
  readonly kills: number;
  readonly bake: string;
  readonly status: ReleaseView['status'];
}

const EVERYWHERE: readonly string[] = RELEASE_STAGES;
const CASES: readonly Case[] = [
  { kind: 'good', killedAt: EVERYWHERE, kills: 8, bake: '500ms', status: 'succeeded' },
  { kind: 'smoke-red', killedAt: ['boot', 'reverting'], kills: 1, bake: '500ms', status: 'failed' },
  { kind: 'complains-at-boot', killedAt: ['boot'], kills: 1, bake: '500ms', status: 'failed' },
  { kind: 'exits-later', killedAt: ['bake', 'reverting'], kills: 2, bake: '10m', status: 'rolled-back' },
];
const INSTANCES = 2;

for (const { kind, killedAt, kills, bake, status } of CASES) {
  test(`a release (${kind}) whose daemon is killed at each of its stages has ${status}, and is whole`, async () => {
    await using shop = await Shop.create({
      port: await freePort(),
      instances: INSTANCES,
      goesBadWhenTold: true,
      verify: {
        stable: '100ms',
        canary: { instances: 1, for: '300ms' },
        for: '400ms',
        bake,
        smoke: '/checkout',
      },
    });
    const before = makeBuild(shop.builds, '1.0.0');
    assert.equal((await shop.release(before, { spec: await quickly(shop) })).status, 'succeeded');
    const made = makeBuild(shop.builds, '1.1.0', kind);
    const { view: accepted } = await followTo(shop.rig, await shop.request(made), afterAccepted(0));

    const killed = await killAt(shop, accepted.id, killedAt);

    const view = await shop.rig.client.call('release', { params: { id: accepted.id } });
    assert.equal(view.status, status, JSON.stringify(view.failure));
    assert.deepEqual(await whatIsNotWhole(shop, kind === 'good' ? made : before, INSTANCES), []);
    assert.ok(killed.length >= kills, `killed at ${killed.join(', ')}`);
    const after = makeBuild(shop.builds, '1.2.0');
    assert.equal((await shop.release(after, { spec: await quickly(shop) })).status, 'succeeded');
  });
}

/** Without what takes time. */
async function quickly(shop: Shop): Promise<ReleaseSpec> {
  const spec = await shop.spec();
  return { ...spec, verify: { ...spec.verify, canary: null, forMs: 0, bakeMs: 0 } };
}

/** Until it has ended, once at each of these; answers where that was. It is bad from when its bake was interrupted. */
async function killAt(shop: Shop, id: string, places: readonly string[]): Promise<string[]> {
  const { rig } = shop;
  const killed: string[] = [];
  for (;;) {
    const { finishedAt, stage, status } = await rig.until(`release ${id} goes on`, async () => {
      const view = await rig.client.call('release', { params: { id } });
      const place = view.stage ?? view.status;
      return (view.finishedAt !== null || (places.includes(place) && !killed.includes(place))) && view;
    });
    if (finishedAt !== null) return killed;
    killed.push(stage ?? status);
    await rig.killDaemon();
    await rig.startDaemon();
    if (stage === 'bake') shop.goBad();
  }
}

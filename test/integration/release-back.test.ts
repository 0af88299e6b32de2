/** Real releases that are gone back from: by hand, or because they were found bad when the old instances had gone. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { ReleaseView } from '../../src/protocol/index.js';
import {
  assertSucceeded,
  atStage,
  followTo,
  freePort,
  Haproxy,
  Load,
  makeBuild,
  NamedServer,
  Shop,
  unlessHaproxy,
  visit,
} from '../rig/index.js';

const VERIFY = { canary: false, stable: 0, for: 0, minRequests: 1, noData: 'smoke', smoke: '/checkout' };

function shopWith(group: Readonly<Record<string, unknown>> = {}): Promise<Shop> {
  return freePort().then((port) =>
    Shop.create({ port, goesBadWhenTold: true, verify: { ...VERIFY, bake: '10m' }, group }),
  );
}

test('where a hook fails that is told of a failure, the release before is back all the same, and that is said', async () => {
  await using shop = await shopWith({ hooks: { onFailure: ['false'] } });
  await releaseGood(shop);
  const view = await shop.releaseGoingBad(makeBuild(shop.builds, '1.1.0', 'exits-later'));
  assert.equal(view.status, 'rolled-back', JSON.stringify(view.failure));
  assert.match(view.failure!.message, /: exit code 4$/);
  assert.ok(
    view.notes.some((note) => /onFailure/.test(note)),
    view.notes.join('; '),
  );
  assert.match(await visit(shop.port), /1\.0\.0/);
});

test('hooks are told of a failed release, and not of a plan that fails', async () => {
  const run = ['/bin/sh', '-c', 'echo $UPKEEP_RELEASE_KIND at $UPKEEP_RELEASE_STAGE >> told'];
  await using shop = await shopWith({ hooks: { onFailure: { run } } });
  const gone = { ...makeBuild(shop.builds, '1.0.0'), archive: join(shop.builds, 'gone.tgz') };
  const { folder } = await shop.spec();
  assert.equal((await shop.release(gone, { plan: true })).status, 'failed');
  assert.equal(existsSync(join(folder, 'told')), false);
  assert.equal((await shop.release(gone)).status, 'failed');
  assert.equal(readFileSync(join(folder, 'told'), 'utf8'), 'release at resolve\n');
});

test('a host that is not let in again when the release before is back is what went wrong, not a note', async () => {
  // Each release lets it in twice; the fifth time is the way back.
  const letIn = 'echo >> times; test $(wc -l < times) -lt 5 || { echo the edge is down; exit 3; }';
  await using shop = await shopWith({ traffic: { command: { out: 'true', in: letIn } } });
  await releaseGood(shop);
  const { status, failure, notes } = await shop.releaseGoingBad(
    makeBuild(shop.builds, '1.1.0', 'exits-later'),
  );
  assert.equal(status, 'rolled-back', JSON.stringify(failure));
  const further = 'Cannot let "shop" in: /bin/sh ended with exit code 3: the edge is down';
  assert.ok(failure!.message.endsWith(`: exit code 4; and then: ${further}`), failure!.message);
  assert.match(failure!.hint!, /^run it by hand: UPKEEP_SERVICE=shop UPKEEP_TRAFFIC=in \/bin\/sh …(; |$)/);
  assert.deepEqual(notes, []);
  assert.match(await visit(shop.port), /1\.0\.0/);
});

test('what is stopped in the bake is not started by the way back, and is what it was before the release', async () => {
  await using shop = await shopWith();
  await releaseGood(shop);
  const request = await shop.request(makeBuild(shop.builds, '1.1.0'));
  const { id } = await followTo(shop.rig, request, atStage('bake'));
  assertSucceeded(await shop.rig.request({ kind: 'stop', services: ['shop'] }));
  await shop.rig.client.call('abortRelease', { params: { id } });
  await shop.rig.until('it has gone back', async () => {
    const { status } = await shop.rig.client.call('release', { params: { id } });
    return status === 'rolled-back';
  });
  assert.equal((await shop.rig.service('shop')).status, 'stopped');
  assertSucceeded(await shop.rig.request({ kind: 'start', services: ['shop'] }));
  assert.match(await visit(shop.port), /1\.0\.0/);
});

/** Its shop is `web/app1`, beside another server. */
class Edge implements AsyncDisposable {
  readonly shop: Shop;
  readonly haproxy: Haproxy;
  readonly #other: NamedServer;

  private constructor(shop: Shop, haproxy: Haproxy, other: NamedServer) {
    this.shop = shop;
    this.haproxy = haproxy;
    this.#other = other;
  }

  static async open(): Promise<Edge> {
    const [front, port, otherPort] = [await freePort(), await freePort(), await freePort()];
    const folder = mkdtempSync(join(tmpdir(), 'upkeep-edge-'));
    const other = await NamedServer.start('app2', otherPort);
    const backends = { web: { port: front, servers: { app1: port, app2: otherPort } } };
    const haproxy = await Haproxy.start({ folder, backends });
    const traffic = { haproxy: { sockets: haproxy.socket, servers: { shop: 'web/app1' } } };
    const verify = { ...VERIFY, bake: '10m' };
    return new Edge(await Shop.create({ port, verify, group: { traffic } }), haproxy, other);
  }

  /** As `UP`, `100`. */
  async sees(): Promise<readonly string[]> {
    const [, row] = /^web,app1,(.*)$/m.exec(await this.haproxy.ask('show stat web 4 -1'))!;
    return [row!.split(',')[15]!, row!.split(',')[16]!];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shop[Symbol.asyncDispose]();
    await this.haproxy[Symbol.asyncDispose]();
    await this.#other[Symbol.asyncDispose]();
    rmSync(dirname(this.haproxy.socket), { recursive: true });
  }
}

test(
  'a host that a failed release could not let in is let in when HAProxy answers, also after a rollback',
  { skip: unlessHaproxy() },
  async () => {
    await using edge = await Edge.open();
    const { shop, haproxy } = edge;
    await releaseGood(shop);
    await releaseGood(shop, '1.1.0');
    const spec = await shop.spec();
    const verify = { ...spec.verify, canary: { instances: 1, forMs: 600_000 } };
    const request = await shop.request(makeBuild(shop.builds, '1.2.0'), { spec: { ...spec, verify } });
    const { id } = await followTo(shop.rig, request, atStage('canary'));
    await shop.rig.until('it has its share', async () => isDeepStrictEqual(await edge.sees(), ['UP', '10']));
    const resume = await haproxy.pause();
    try {
      await shop.rig.client.call('abortRelease', { params: { id } });
      const failed = await ended(shop, id);
      assert.match(failed.failure!.hint!, /it is let in as soon as that is possible/);
      assert.equal((await shop.rollback()).status, 'succeeded');
    } finally {
      resume();
    }
    await shop.rig.until('it has all', async () => isDeepStrictEqual(await edge.sees(), ['UP', '100']));
  },
);

test(
  'what is stopped in the bake is not waited for by HAProxy when the release is gone back from',
  { skip: unlessHaproxy() },
  async () => {
    await using edge = await Edge.open();
    const { shop } = edge;
    await releaseGood(shop);
    const request = await shop.request(makeBuild(shop.builds, '1.1.0'));
    const { id } = await followTo(shop.rig, request, atStage('bake'));
    assertSucceeded(await shop.rig.request({ kind: 'stop', services: ['shop'] }));
    await shop.rig.client.call('abortRelease', { params: { id } });
    const { status, failure, notes } = await ended(shop, id);
    assert.deepEqual([status, failure, notes], ['rolled-back', null, []]);
  },
);

test(
  'what somebody has taken out in the bake stays out when the release is gone back from, and that is said',
  { skip: unlessHaproxy() },
  async () => {
    await using edge = await Edge.open();
    const { shop, haproxy } = edge;
    await releaseGood(shop);
    const request = await shop.request(makeBuild(shop.builds, '1.1.0'));
    const { id } = await followTo(shop.rig, request, atStage('bake'));
    await haproxy.ask('set server web/app1 state maint');
    await shop.rig.client.call('abortRelease', { params: { id } });
    const { status, failure, notes } = await ended(shop, id);
    assert.deepEqual([status, failure], ['rolled-back', null]);
    const byHand = `echo "set server web/app1 state ready" | socat stdio ${haproxy.socket}`;
    assert.deepEqual(notes, [`shop stays out of traffic, as it was; let it in: ${byHand}`]);
    assert.equal((await edge.sees())[0], 'MAINT');
    assert.match(await visit(shop.port), /1\.0\.0/);
  },
);

test('a first release that is found bad has nothing to go back to: it serves on, and that is said', async () => {
  await using shop = await shopWith();
  const view = await shop.releaseGoingBad(makeBuild(shop.builds, '1.0.0', 'exits-later'));
  assert.equal(view.status, 'failed');
  const { stdout } = await shop.rig.cli('release', 'report', view.id);
  assert.match(stdout, /\| Outcome \| failed; it could not be taken back, and serves \|/);
  const [group] = await shop.rig.client.call('releases');
  assert.equal(group!.current, view.id);
  const [service] = shop.rig.state().services;
  assert.equal(service!.spec.cwd, view.folder);
});

test('what hangs when the old ones have gone is found by its smoke check', async () => {
  await using shop = await Shop.create({
    port: await freePort(),
    goesBadWhenTold: true,
    verify: { ...VERIFY, bake: '10m', smoke: { http: '/checkout', timeout: '3s' } },
  });
  await releaseGood(shop);
  const view = await shop.releaseGoingBad(makeBuild(shop.builds, '1.1.0', 'hangs-later'));
  assert.equal(view.status, 'rolled-back', JSON.stringify(view.failure));
  assert.match(view.failure!.message, /shop\.0, new: .*\/checkout/);
  assert.match(await visit(shop.port), /1\.0\.0/);
});

async function ended(shop: Shop, id: string): Promise<ReleaseView> {
  let view: ReleaseView | undefined;
  await shop.rig.until('it is over', async () => {
    view = await shop.rig.client.call('release', { params: { id } });
    return view.status !== 'running' && view.status !== 'reverting';
  });
  return view!;
}

async function releaseGood(shop: Shop, version = '1.0.0'): Promise<void> {
  const spec = await shop.spec();
  const first = { spec: { ...spec, verify: { ...spec.verify, bakeMs: 0 } } };
  assert.equal((await shop.release(makeBuild(shop.builds, version), first)).status, 'succeeded');
}

/** Without a bake: what serves is good. */
const AT_ONCE = { ...VERIFY, bake: 0 };

test('where the book of releases was lost, the next release is switched all the same', async () => {
  await using shop = await Shop.create({ port: await freePort(), verify: AT_ONCE });
  const { rig } = shop;
  const { folder } = await shop.release(makeBuild(shop.builds, '1.0.0'));
  await rig.killDaemon();
  rmSync(join(rig.home.path, 'releases.jsonl'));
  renameSync(folder!, join(rig.folder, 'gone')); // nothing but operations tells of it
  await rig.startDaemon();
  const view = await shop.release(makeBuild(shop.builds, '1.1.0'));
  assert.deepEqual([view.id, view.status], ['2', 'succeeded'], JSON.stringify(view.failure));
  assert.match(await visit(shop.port), /1\.1\.0/);
});

test('what has neither folder nor source any more is unpacked from the store, installed, and serves', async () => {
  await using shop = await Shop.create({
    port: await freePort(),
    verify: AT_ONCE,
    env: { NODE_ENV: 'production' },
    group: { install: ['/bin/sh', '-c', 'echo installed > installed.txt'], policy: {} },
  });
  const builds = ['1.0.0', '1.1.0'].map((version) => makeBuild(shop.builds, version));
  const [first] = [await shop.release(builds[0]!), await shop.release(builds[1]!)];
  rmSync(first.folder!, { recursive: true });
  for (const { archive, root } of builds)
    for (const path of [archive, root]) rmSync(path, { recursive: true });
  await using load = new Load(shop.port);
  const view = await shop.rollback();
  assert.equal(view.status, 'succeeded', JSON.stringify(view.failure));
  assert.match(await visit(shop.port), /1\.0\.0/);
  assert.deepEqual(load.failures, []);
  assert.ok(readdirSync(view.folder!).includes('installed.txt'));
  assert.equal(statSync(view.folder!).mode & 0o222, 0, 'nobody writes to it any more');
});

test('releases that have failed take no place of one that was good', async () => {
  await using shop = await Shop.create({
    port: await freePort(),
    verify: AT_ONCE,
    group: { keep: 2 },
  });
  const good = [];
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    good.push(await shop.release(makeBuild(shop.builds, version)));
  for (const version of ['2.0.0', '2.1.0', '2.2.0'])
    assert.equal((await shop.release(makeBuild(shop.builds, version, 'smoke-red'))).status, 'failed');
  const names = readdirSync(join(good[0]!.folder!, '..')).filter((name) => /^\d/.test(name));
  assert.deepEqual(
    names.sort(),
    good.map(({ folder }) => folder!.split('/').at(-1)),
  );
  const view = await shop.rollback('1.0.0');
  assert.equal(view.status, 'succeeded', JSON.stringify(view.failure));
});

test('e: among errors that are always there the new kind is found, and found again in the next release that has it', async () => {
  await using shop = await Shop.create({
    port: await freePort(),
    env: { EXCEPTION_EVERY: '5', BACKGROUND_MS: '200' },
    // On a busy machine what has just started is slower for a while, and only kinds of errors are looked at here.
    verify: { ...VERIFY, for: '20s', bake: 0, minRequests: 10, latency: 'ignore' },
  });
  const atOnce = async (): Promise<object> => {
    const spec = await shop.spec();
    const { verify } = spec;
    const more = { forMs: 0, noData: 'smoke', newErrors: 'ignore' } as const;
    return { spec: { ...spec, verify: { ...verify, ...more } } };
  };
  assert.equal((await shop.release(makeBuild(shop.builds, '1.0.0'), await atOnce())).status, 'succeeded');
  await using load = new Load(shop.port);
  const query = { query: { service: 'shop' } };
  await shop.rig.until('what is always there is known', async () => {
    return (await shop.rig.client.call('errors', query)).kinds.length === 5;
  });
  for (const version of ['1.1.0', '1.2.0']) {
    const view = await shop.release(makeBuild(shop.builds, version, 'new-exception'));
    assert.equal(view.status, 'failed', version);
    assert.match(view.failure!.message, / is not good: shop: RangeError: voucher [^;]*, \d+ times?$/);
  }
  assert.deepEqual(load.failures, []);
});

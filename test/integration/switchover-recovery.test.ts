/** A daemon that is killed while a release switches services leaves no half of it: one side serves as a whole, and nobody notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationView, ServiceSpec } from '../../src/protocol/index.js';
import type { ServiceConfig } from '../../src/config/index.js';
import {
  answered,
  assertSucceeded,
  freePort,
  keepWaiting,
  Load,
  pidsOf,
  releasable,
  Releasing,
  rolesOf,
  visit,
  type Look,
  type ReleasingOptions,
} from '../rig/index.js';

/** Two services of a group, one with two instances, both under load. */
class Shop implements AsyncDisposable {
  readonly releasing: Releasing;
  readonly loads: readonly Load[];
  readonly specs: readonly ServiceSpec[];
  /** Of both services, before anything was released. */
  readonly old: readonly number[];

  private constructor(
    releasing: Releasing,
    loads: readonly Load[],
    specs: readonly ServiceSpec[],
    old: readonly number[],
  ) {
    this.releasing = releasing;
    this.loads = loads;
    this.specs = specs;
    this.old = old;
  }

  static async open(options: ReleasingOptions = {}): Promise<Shop> {
    const releasing = await Releasing.create(options);
    const { rig } = releasing;
    const ports = [await freePort(), await freePort()] as const;
    const config = (release: string): Record<string, ServiceConfig> => ({
      api: releasable(ports[0], release, { instances: 2 }),
      web: releasable(ports[1], release, { dependsOn: ['api'] }),
    });
    assertSucceeded(await rig.up(config('old')));
    const specs = await rig.specs(config('new'));
    const loads = ports.map((port) => new Load(port));
    return new Shop(releasing, loads, specs, await both({ releasing }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const load of this.loads) await load[Symbol.asyncDispose]();
    await this.releasing[Symbol.asyncDispose]();
  }
}

const NAMES = ['api', 'web'];
const KILLED_AFTER_BOOT = /the daemon ended before its new instances had joined$/;

test('killed after the boot, the old ones go on, and the release begins anew', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  const guests = await both(shop, 'new');
  assert.equal(guests.length, 3);
  await releasing.next();
  assert.deepEqual(await both(shop, 'serving'), shop.old);
  await goneAre(shop, guests);
  const { steps } = await releasing.rig.ended((await lastOperation(releasing)).id);
  assert.match(steps[0]!.failure!.message, KILLED_AFTER_BOOT);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  await assertSwitched(shop);
});

test('killed while it boots, no new one is left over', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  const booting = releasing.ask('boot', '1', specs, { stableMs: 60_000 });
  booting.catch(() => undefined); // it is killed
  await releasing.rig.until('it boots', async () => (await both(shop, 'new')).length === 3);
  const guests = await both(shop, 'new');
  await releasing.next();
  await goneAre(shop, guests);
  assert.deepEqual(await both(shop), shop.old);
  await assertQuiet(shop);
});

for (const [title, count] of [
  ['when all have joined', Infinity],
  ['when some have joined', 1],
] as const) {
  for (const last of ['commit', 'revert'] as const) {
    test(`killed ${title}, the next daemon keeps them until it is told to ${last}`, async () => {
      await using shop = await Shop.open();
      const { releasing, specs } = shop;
      await releasing.ask('boot', '1', specs);
      await releasing.ask('join', '1', specs, count === Infinity ? {} : { count });
      const joined = await both(shop, 'joined');
      await releasing.next();
      assert.deepEqual(await both(shop, 'joined'), joined);
      assert.deepEqual(await both(shop, 'serving'), shop.old);
      assert.equal((await lastOperation(releasing)).status, 'running');
      await releasing.ask('boot', '1', specs);
      assert.deepEqual(await both(shop, 'joined'), joined);
      const look = await releasing.ask<Look>('look', '1', specs);
      assert.equal(look.filter(({ side }) => side === 'new').length, 3);
      await releasing.ask(last, '1', specs);
      if (last === 'revert') {
        assert.deepEqual(await both(shop), shop.old);
        await assertQuiet(shop);
        return;
      }
      await assertSwitched(shop);
      const now = await both(shop);
      assert.ok(joined.every((pid) => now.includes(pid)));
    });
  }
}

test('what has joined and nobody asks for is sent away, and that is told', async () => {
  await using shop = await Shop.open({ unaskedMs: 300 });
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  await releasing.next();
  await releasing.rig.ended((await lastOperation(releasing)).id);
  assert.deepEqual(await both(shop), shop.old);
  const warnings = (await releasing.rig.events()).filter(({ type }) => type === 'warning');
  assert.match(
    JSON.stringify(warnings),
    /nobody asked the next one to go on: the old instances go on serving alone/,
  );
  await assertQuiet(shop);
});

test('new ones that ended while there was no daemon are replaced when it is asked for again', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  const [first] = await pidsOf(releasing, 'joined');
  await releasing.kill();
  process.kill(first!, 'SIGKILL');
  await releasing.rig.until('it has ended', () => !releasing.rig.lives(first!));
  await releasing.start();
  await releasing.ask('boot', '1', specs);
  assert.deepEqual(await rolesOf(releasing), { serving: 2, joined: 1, new: 1 });
  await releasing.ask('commit', '1', specs);
  const { instances, status } = await releasing.rig.service('api');
  assert.deepEqual([status, instances.length], ['running', 2]);
});

test('killed before the commit is on disk, the old ones are still the service', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  const joined = await both(shop, 'joined');
  await die(releasing, 'save', specs);
  assert.deepEqual(await both(shop, 'serving'), shop.old);
  assert.deepEqual(await both(shop, 'joined'), joined);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  assert.deepEqual(await both(shop), joined);
  await assertSwitched(shop);
});

for (const [moment, title] of [
  ['saved', 'when the commit is on disk'],
  ['exchanged', 'while the old ones drain'],
] as const) {
  test(`killed ${title}, the next daemon ends the commit by itself`, async () => {
    await using shop = await Shop.open();
    const { releasing, specs } = shop;
    await releasing.ask('boot', '1', specs);
    await releasing.ask('join', '1', specs);
    const joined = await both(shop, 'joined');
    await die(releasing, moment, specs);
    await releasing.ask('boot', '1', specs);
    await releasing.ask('commit', '1', specs);
    assert.deepEqual(await both(shop), joined);
    await assert.rejects(releasing.ask('revert', '1', specs), /Cannot take back "1": it is committed/);
    await assertSwitched(shop);
    await releasing.next();
    assert.deepEqual(await both(shop), joined);
    await assertSwitched(shop);
  });
}

test('one that ends between the commit and the next daemon is started again by the new description', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  const [first] = await pidsOf(releasing, 'joined');
  await releasing.ask('arm', '1', specs, { moment: 'saved' });
  await assert.rejects(releasing.ask('commit', '1', specs));
  await releasing.ended();
  process.kill(first!, 'SIGKILL');
  await releasing.start();
  await releasing.ask('commit', '1', specs);
  await releasing.rig.until('both serve', async () => (await pidsOf(releasing, 'serving')).length === 2);
  await assertSwitched(shop, { lost: /ECONNRESET|socket hang up/ }); // what the killed one was answering
});

test('one that has fallen while there was no daemon is told to whoever looks on after the commit', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  const [first] = await pidsOf(releasing);
  await releasing.kill();
  process.kill(first!, 'SIGKILL');
  await releasing.rig.until('it has ended', () => !releasing.rig.lives(first!));
  await releasing.start();
  await releasing.rig.until('another one serves', async () => {
    const pids = await pidsOf(releasing, 'serving');
    return pids.length === 2 && !pids.includes(first!);
  });
  let told: string | undefined;
  releasing.ask<string>('fallen', '1', specs).then(
    (words) => (told = words),
    () => undefined, // in vain, as is told below
  );
  assert.match(await releasing.rig.until('it is told', () => told), /^api\.\d: .*SIGKILL/);
});

test('an old one that still answered when the daemon was killed is let go by the next one', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  const patient = { stop: { drain: '60s' } } as const;
  assertSucceeded(await rig.up({ api: releasable(port, 'old', patient) }));
  const specs = await rig.specs({ api: releasable(port, 'new', patient) });
  const [old] = await pidsOf(releasing);
  using waiting = await keepWaiting(port);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('exchange', '1', specs);
  const [young] = await pidsOf(releasing, 'serving');
  await releasing.kill();
  await releasing.start();
  assert.deepEqual(await pidsOf(releasing, 'serving'), [young]);
  assert.ok(rig.lives(old!));
  waiting[Symbol.dispose]();
  await rig.until('it has gone', () => !rig.lives(old!));
  assert.match(await visit(port), /^new /);
});

test('an upgrade of the daemon takes what has joined along, and nobody notices', async () => {
  await using shop = await Shop.open();
  const { releasing, specs } = shop;
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs, { count: 1 });
  const joined = await both(shop, 'joined');
  await releasing.ask('upgrade', '1', specs);
  assert.deepEqual(await both(shop, 'joined'), joined);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  await assertSwitched(shop);
});

test('a service that a release created is gone again where the daemon was killed before it joined', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const port = await freePort();
  const specs = await rig.specs({ api: releasable(port, 'new') });
  await releasing.ask('boot', '1', specs);
  await releasing.next();
  await rig.until('it is gone', async () => (await rig.client.call('services')).length === 0);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  await releasing.next();
  assert.deepEqual(await rolesOf(releasing), { serving: 1, joined: 1 });
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  assert.equal((await rig.service('api')).status, 'running');
});

test('what was stopped for one in its place comes back with the next daemon', async () => {
  await using releasing = await Releasing.create();
  const { rig } = releasing;
  const [one, two] = [await freePort(), await freePort()];
  const inPlace = { sockets: 'off', ready: 'port' } as const;
  const config = (release: string): Record<string, ServiceConfig> => ({
    api: releasable(one, release, inPlace),
    web: releasable(two, release, inPlace),
  });
  assertSucceeded(await rig.up(config('old')));
  const specs = await rig.specs(config('new'));
  await releasing.ask('boot', '1', specs);
  await releasing.ask('join', '1', specs);
  await releasing.next();
  assert.deepEqual(await rolesOf(releasing), { serving: 1, joined: 1 });
  const [guest] = await pidsOf(releasing, 'joined');
  await releasing.kill();
  process.kill(guest!, 'SIGKILL');
  await releasing.start();
  await rig.until('the old one is back', async () => (await pidsOf(releasing, 'serving')).length === 1);
  await releasing.ask('boot', '1', specs);
  await releasing.ask('commit', '1', specs);
  assert.deepEqual(
    [await rolesOf(releasing), await rolesOf(releasing, 'web')],
    [{ serving: 1 }, { serving: 1 }],
  );
});

async function both({ releasing }: Pick<Shop, 'releasing'>, role?: string): Promise<number[]> {
  return (await Promise.all(NAMES.map((name) => pidsOf(releasing, role, name)))).flat();
}

async function goneAre({ releasing: { rig } }: Shop, pids: readonly number[]): Promise<void> {
  await rig.until(`${pids.join()} are gone`, () => !pids.some((pid) => rig.lives(pid)));
}

/** It kills itself in the commit, and the next one begins. */
async function die(
  releasing: Releasing,
  moment: 'save' | 'saved' | 'exchanged',
  specs: readonly ServiceSpec[],
): Promise<void> {
  await releasing.ask('arm', '1', specs, { moment });
  await assert.rejects(releasing.ask('commit', '1', specs));
  await releasing.ended();
  await releasing.start();
}

async function lastOperation({ rig }: Releasing): Promise<OperationView> {
  const operations = await rig.client.call('operations');
  return operations.find(({ kind }) => kind === 'release')!;
}

/** Nothing failed, and nothing is left over. */
async function assertQuiet({ releasing, loads }: Shop): Promise<void> {
  for (const load of loads) {
    await answered(releasing, load, 'old');
    assert.deepEqual(load.failures, []);
  }
  assert.equal(releasing.complaints, '');
}

/** `lost`: how requests may fail nevertheless. */
async function assertSwitched(shop: Shop, { lost }: { readonly lost?: RegExp } = {}): Promise<void> {
  const { releasing, loads, old, specs } = shop;
  await goneAre(shop, old);
  assert.deepEqual(
    [await rolesOf(releasing), await rolesOf(releasing, 'web')],
    [{ serving: 2 }, { serving: 1 }],
  );
  for (const load of loads) {
    await answered(releasing, load, 'new');
    assert.deepEqual(
      load.failures.filter((failure) => !lost?.test(failure)),
      [],
    );
  }
  const stored = releasing.rig.state().services.map(({ spec }) => spec.env['RELEASE']?.value);
  assert.deepEqual(
    stored,
    specs.map(() => 'new'),
  );
  assert.equal((await lastOperation(releasing)).status, 'succeeded');
  assert.equal(releasing.complaints, '');
}

/** Releases by the command, of what serves nowhere yet. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WaivedCheck } from '../../src/protocol/index.js';
import { freePort, makeBuild, Shop, type Build, type ShopOptions } from '../rig/index.js';

const AT_ONCE = { canary: false, stable: 0, for: 0, bake: 0, newErrors: 'ignore' };

async function open(options: Omit<ShopOptions, 'port'> = {}): Promise<Shop> {
  const shop = await Shop.create({ port: await freePort(), ...options });
  await shop.spec(); // writes the configuration that the command reads
  return shop;
}

/** What the others follow; it is not watched. */
async function releaseAtOnce(shop: Shop): Promise<void> {
  const spec = await shop.spec();
  const first = { spec: { ...spec, verify: { ...spec.verify, bakeMs: 0 } } };
  assert.equal((await shop.release(makeBuild(shop.builds, '1.0.0'), first)).status, 'succeeded');
}

test('a smoke check of a first release asks that release, whose current is not there yet', async () => {
  const smoke = { command: ['/bin/sh', '-c', 'cat $0', ''] };
  await using shop = await open({ verify: { ...AT_ONCE, smoke } });
  smoke.command[3] = join(shop.rig.home.path, 'releases/shop/current/behaviour.json');
  const view = await shop.release(makeBuild(shop.builds, '1.0.0'));
  assert.equal(view.status, 'succeeded', view.failure?.message);
});

test('a first release that fails does not speak of what served before it', async () => {
  await using shop = await open({ verify: { ...AT_ONCE, smoke: '/checkout' } });
  for (const [kind, words] of [
    ['smoke-red', /failed: its instances have ended, and no release was before it/],
    ['exits-at-boot', /failed: its instances have ended, and no release was before it/],
  ] as const) {
    const { archive } = makeBuild(shop.builds, `1.0.0-${kind}`, kind);
    const { stdout, stderr, code } = await shop.rig.cli('release', '--file', archive);
    assert.match(stdout, words);
    assert.doesNotMatch(`${stdout}${stderr}`, /served before|putting|old instance/, kind);
    assert.equal(code, 5);
  }
  const { stdout, stderr } = await shop.rig.cli('release', '--file', '/nowhere/shop.tgz');
  assert.match(stdout, /failed: nothing has changed/);
  assert.doesNotMatch(`${stdout}${stderr}`, /served before|putting/);
  const good = makeBuild(shop.builds, '2.0.0');
  assert.equal((await shop.rig.cli('release', '--file', good.archive)).code, 0);
  const bad = makeBuild(shop.builds, '3.0.0', 'smoke-red');
  const last = await shop.rig.cli('release', '--file', bad.archive);
  assert.match(last.stdout, /failed: what served before serves on/);
  const all = JSON.parse((await shop.rig.cli('release', 'list', '--json', '-n', '2')).stdout) as {
    releases: { id: string }[];
  }[];
  assert.deepEqual(
    all[0]!.releases.map(({ id }) => id),
    ['5', '4'],
  );
});

test('one that failed is resumed with the waivers that it was asked for with', async () => {
  const group = { policy: { target: 'production' } };
  await using shop = await open({
    verify: { ...AT_ONCE, smoke: '/checkout' },
    group,
    env: { NODE_ENV: 'production' },
  });
  assert.equal((await shop.release(makeBuild(shop.builds, '2.0.0'))).status, 'succeeded');
  const { archive } = makeBuild(shop.builds, '1.0.0', 'smoke-red');
  const { stderr: refused } = await shop.rig.cli('release', '--file', archive);
  assert.match(refused, /1\.0\.0 is lower than 2\.0\.0/);
  const waived = await shop.rig.cli('release', '--file', archive, '--waive', 'downgrade=case 4711');
  assert.match(waived.stderr, /\/checkout/);
  const resumed = await shop.rig.cli('release', 'resume', '3');
  assert.match(resumed.stderr, /\/checkout/);
  const { waive, checks } = await shop.rig.client.call('release', { params: { id: '4' } });
  assert.deepEqual(waive, [{ rule: 'downgrade', reason: 'case 4711', until: null }]);
  assert.ok(checks.some(({ verdict, text }) => verdict === 'waived' && text.includes('case 4711')));

  const known = async (): Promise<string> => {
    const { stdout } = await shop.rig.cli('release', 'waivers', '--json');
    return (JSON.parse(stdout) as WaivedCheck[]).map(({ release, check }) => `${release} ${check}`).join();
  };
  assert.equal(await known(), '4 policy: downgrade,3 policy: downgrade');
  await shop.rig.killDaemon();
  assert.equal(
    await known(),
    '4 policy: downgrade,3 policy: downgrade',
    'each once, by the next daemon, too',
  );
  const { stdout: table } = await shop.rig.cli('release', 'waivers', '--limit', '1');
  assert.match(
    table,
    /^AT +RELEASE +GROUP +CHECK +REASON +UNTIL +BY\n\S.* 4 +shop +policy: downgrade +case 4711 +this release +/,
  );
});

test('what was planned in one shell is released, and known to serve, in another', async () => {
  await using shop = await open({ verify: { ...AT_ONCE, smoke: '/checkout' } });
  const { env } = shop.rig;
  const { PATH } = env;
  const release = (build: Build, path: string, ...words: string[]) => {
    Object.assign(env, { PATH: `${PATH}:${path}`, LC_ALL: path === '/opt/ssh' ? 'C.UTF-8' : 'C' });
    return shop.rig.cli('release', ...words, '--file', build.archive);
  };
  const [first, second] = [makeBuild(shop.builds, '1.0.0'), makeBuild(shop.builds, '1.1.0')];
  assert.equal((await release(first, '/opt/ssh')).code, 0);
  assert.equal((await release(first, '/opt/ci')).code, 0);
  const shown = await shop.rig.cli('release', 'show', '2');
  assert.match(shown.stdout, /release 1 serves this build already/);
  const { stdout } = await release(second, '/opt/ssh', 'plan');
  const [, hash] = /^plan (\w+)$/m.exec(stdout)!;
  const { code, stderr } = await release(second, '/opt/ci', '--plan', hash!);
  assert.equal(code, 0, stderr);
});

test('one is given up when its instances are gone, and that is said', async () => {
  await using shop = await open({ verify: { ...AT_ONCE, smoke: '/checkout', bake: '5m' } });
  await releaseAtOnce(shop);
  const { archive } = makeBuild(shop.builds, '1.1.0');
  const releasing = shop.rig.follow('release', '--file', archive);
  await shop.rig.until('it bakes', async () => {
    const [group] = await shop.rig.client.call('releases');
    return group!.releases[0]!.stage === 'bake';
  });
  const { stdout, code } = await shop.rig.cli('release', 'abort', '2');
  assert.match(stdout, /^Release 2 of shop 1\.1\.0 .*was rolled back: what served before serves again/);
  assert.equal(code, 0);
  const { instances } = await shop.rig.service('shop');
  assert.deepEqual(
    instances.map(({ role, status }) => [role, status]),
    [['serving', 'running']],
  );
  assert.equal((await releasing.ended).code, 5);
});

test('the command goes on telling how it gets on when another daemon has taken over', async () => {
  await using shop = await open({ verify: { ...AT_ONCE, smoke: '/checkout', bake: '5s' } });
  await releaseAtOnce(shop);
  const { archive } = makeBuild(shop.builds, '1.1.0');
  const releasing = shop.rig.follow('release', '--file', archive);
  await shop.rig.until('it bakes', async () => {
    const groups = await shop.rig.client.call('releases').catch(() => []);
    return groups[0]?.releases[0]?.stage === 'bake';
  });
  await shop.rig.crashDaemon();
  const { stdout, stderr, code } = await releasing.ended;
  assert.deepEqual([code, stdout.split(' ')[0]], [0, 'Released']);
  assert.match(stderr, /✔ commit [^]*✔ bake [^]*✔ finish /);
});

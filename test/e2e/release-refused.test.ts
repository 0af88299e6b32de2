/**
 * Stories 1 and 5 by the command, while something serves: what must not be released is not, and the reason names thing, place and next step;
 * each service goes its own way.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { freePort, Load, makeBuild, Shop, visit } from '../rig/index.js';

const TOKEN = 'sk-PLANTED-0123456789';
const FILES = {
  '.env.example': 'PORT=3000\nOTHER_PORT=0\nNODE_ENV=production\nAPI_TOKEN=\n',
  'config/prod.json': '{"db":{"logging":false}}',
};

async function openShop(env: Readonly<Record<string, string>> = {}): Promise<Shop> {
  const shop = await Shop.create({
    port: await freePort(),
    instances: 2,
    env: { NODE_ENV: 'production', API_TOKEN: TOKEN, PROT: '1', ...env },
    verify: { canary: false, stable: 0, for: 0, bake: 0, noData: 'smoke', smoke: '/checkout' },
    group: { policy: {}, contract: { env: ['.env.example'], files: ['config/prod.json'] } },
  });
  await shop.spec(); // writes the configuration that the command reads
  const { archive } = makeBuild(shop.builds, '1.4.0', 'good', FILES);
  const { code, stdout, stderr } = await shop.rig.cli('release', '--file', archive);
  assert.equal(code, 0, `${stdout}${stderr}`);
  return shop;
}

interface Refused {
  readonly what: string;
  readonly version?: string;
  readonly files: Readonly<Record<string, string>>;
  readonly says: RegExp;
}

const needs = (key: string): Record<string, string> => ({
  ...FILES,
  '.env.example': `${FILES['.env.example']}${key}=\n`,
});

const REFUSED: readonly Refused[] = [
  {
    what: 'c1: a key that is new and has no value',
    files: needs('DATABASE_URL'),
    says: /DATABASE_URL is new since release 1\.4\.0 and has no value for shop on host "[^"]+".*\n +hint: .*DATABASE_URL/,
  },
  {
    what: 'c2: a build for test',
    files: { ...FILES, 'upkeep.build.json': JSON.stringify({ environment: 'test' }) },
    says: /is a build for test, and host "[^"]+" is production\n +hint: release the build for production/,
  },
  {
    what: 'c3: a lower version',
    version: '1.3.9',
    files: FILES,
    says: /version 1\.3\.9 is lower than 1\.4\.0, which runs \(release 1\)\n +hint: go back by upkeep rollback/,
  },
  {
    what: 'c4: SQL logging',
    files: { ...FILES, 'config/prod.json': '{"db":{"logging":true}}' },
    says: /db\.logging of config\/prod\.json on host "[^"]+" turns debug logging on\n +hint: /,
  },
];

test('what must not be released is refused with the thing, the place and the next step; what serves does not notice', async () => {
  await using shop = await openShop();
  const { rig } = shop;
  const pids = async (): Promise<(number | null)[]> =>
    (await rig.service('shop')).instances.map(({ pid }) => pid);
  const before = await pids();
  await using load = new Load(shop.port);
  let said = '';
  for (const [index, { what, version = `1.5.${index}`, files, says }] of REFUSED.entries()) {
    const { archive } = makeBuild(shop.builds, version, 'good', files);
    const { code, stdout, stderr } = await rig.cli('release', '--file', archive);
    assert.equal(code, 5, `${what}: ${stdout}${stderr}`);
    assert.match(`${stdout}${stderr}`, says, what);
    said += stdout + stderr + (await rig.cli('release', 'report', String(index + 2))).stdout;
  }
  assert.deepEqual(await pids(), before);
  const { stdout } = await rig.cli('release', 'show', '1');
  assert.match(stdout, /contract: unknown-key PROT +warned/, 'c5');
  assert.deepEqual(load.failures, []);
  assert.ok(!said.includes(TOKEN) && !stdout.includes(TOKEN), 'c6');
});

test('b: where the database is not configured on one of two hosts, that one is refused, or fails before it serves', async () => {
  await using configured = await openShop({ DATABASE_URL: 'postgres://db/shop' });
  await using shop = await openShop();
  const { rig } = shop;
  await using load = new Load(shop.port);
  const made = makeBuild(shop.builds, '1.5.0', 'missing-configuration', needs('DATABASE_URL'));
  const refused = await rig.cli('release', '--file', made.archive);
  assert.equal(refused.code, 5);
  assert.match(refused.stdout + refused.stderr, new RegExp(`DATABASE_URL .* on host "${hostname()}"`));

  const waived = await rig.cli('release', '--file', made.archive, '--waive', 'new-key=it is set by hand');
  assert.equal(waived.code, 5);
  const { stdout: report } = await rig.cli('release', 'report', '3');
  const [, wrong = ''] = /## What went wrong\n\n(.*)/.exec(report) ?? [];
  assert.match(wrong, /TypeError: Cannot read propert.*models.*DATABASE/, report);
  assert.match(await visit(shop.port), /1\.4\.0/);
  assert.deepEqual(load.failures, []);

  assert.equal((await configured.rig.cli('release', '--file', made.archive)).code, 0);
  assert.match(await visit(configured.port), /1\.5\.0/);
});

test('two services of one host are released, and gone back from, each alone', async () => {
  await using shop = await Shop.create({ port: await freePort(), verify: {} });
  const { rig, builds } = shop;
  const names = ['h5', 'flex'] as const;
  const ports = { h5: await freePort(), flex: await freePort() };
  const verify = { canary: false, stable: 0, for: 0, bake: 0, noData: 'smoke', smoke: '/checkout' };
  const service = (name: (typeof names)[number]): object => {
    const port = ports[name];
    return { script: 'server.cjs', port, env: { PORT: port }, ready: { http: '/health' } };
  };
  const services = { h5: service('h5'), flex: service('flex') };
  const group = (name: string): object => {
    return { services: [name], source: { type: 'file' }, install: 'none', verify };
  };
  const config = { services, releases: { h5: group('h5'), flex: group('flex') } };
  rig.write('upkeep.config.json', JSON.stringify(config));
  const release = async (version: string): Promise<void> => {
    const { archive } = makeBuild(builds, version);
    for (const name of names) {
      const { code, stdout, stderr } = await rig.cli('release', name, '--file', archive);
      assert.equal(code, 0, stdout + stderr);
    }
  };
  await release('1.0.0');
  await using h5 = new Load(ports.h5);
  await using flex = new Load(ports.flex);
  await release('1.1.0');
  const { pid } = await rig.instance('flex');
  assert.equal((await rig.cli('rollback', 'h5')).code, 0);
  assert.match(await visit(ports.h5), /1\.0\.0/);
  assert.match(await visit(ports.flex), new RegExp(`1\\.1\\.0 ${pid}`));
  for (const load of [h5, flex]) assert.deepEqual(load.failures, []);
});

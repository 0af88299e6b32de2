import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import * as v from 'valibot';
import { ReleaseSpec, type ServiceSpec } from '../protocol/index.js';
import { findConfig, formatDiagnostics, loadConfig, type LoadOptions, type UpkeepConfig } from './index.js';

const ROOT = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-release-config-')));
after(() => rmSync(ROOT, { recursive: true }));

const HOME = '/srv/upkeep';
let folders = 0;

/** A new folder with these files, those under bin/ executable, and the configuration as JSON. */
function folderWith(config: UpkeepConfig | string, files: Readonly<Record<string, string>> = {}): string {
  const folder = join(ROOT, String(folders++));
  const isText = typeof config === 'string';
  const name = isText && config.startsWith('import') ? 'upkeep.config.ts' : 'upkeep.config.yaml';
  const all = { [name]: isText ? config : JSON.stringify(config), ...files };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    if (path.includes('bin/')) chmodSync(join(folder, path), 0o755);
  }
  return folder;
}

async function load(folder: string, options: LoadOptions = {}) {
  const found = await findConfig(folder);
  assert.ok(found.ok);
  const result = await loadConfig(found.file, { cwd: folder, home: HOME, ...options });
  if (!result.ok) assert.fail(formatDiagnostics(result.diagnostics));
  for (const release of result.releases) v.parse(ReleaseSpec, release);
  const service = (name: string): ServiceSpec =>
    result.services.find((each) => each.name === name) ?? assert.fail(`no service ${name}`);
  return {
    folder,
    service,
    releases: result.releases,
    release: result.releases[0]!,
    warnings: result.warnings,
  };
}

const SHOP: UpkeepConfig = {
  services: { shop: { script: 'server.js', port: 3000 } },
  releases: { shop: { source: { type: 'file' } } },
};

test('a source alone gets every default', async () => {
  const { release, service, warnings } = await load(folderWith(SHOP));
  assert.deepEqual(release, {
    name: 'shop',
    services: [service('shop')],
    folder: '/srv/upkeep/releases/shop',
    source: { type: 'file', path: null },
    root: null,
    signature: null,
    install: { by: 'auto', timeoutMs: 600_000 },
    build: null,
    linked: { files: [], folders: [] },
    contract: null,
    policy: null,
    node: null,
    requires: [],
    hooks: {
      afterStage: [],
      afterInstall: [],
      beforeSwitch: [],
      afterSwitch: [],
      afterRelease: [],
      onFailure: [],
    },
    verify: {
      smoke: [],
      stableMs: 2000,
      canary: null,
      forMs: 30_000,
      bakeMs: 60_000,
      minRequests: 200,
      alpha: 0.01,
      errorRate: 'refuse',
      latency: 'refuse',
      newErrors: 'refuse',
      memory: 'refuse',
      noData: 'hold',
      holdMs: 300_000,
    },
    traffic: null,
    keep: 5,
  });
  assert.match(warnings[0]!.message, /without smoke checks .* fails where few requests come/);
  assert.ok(Object.isFrozen(release.verify) && Object.isFrozen(release.services));
});

test('without the section there are no releases, and services lie where the file does', async () => {
  const folder = folderWith({ services: { shop: { script: 'server.js' } } }, { 'server.js': '' });
  const { service, releases } = await load(folder);
  assert.deepEqual(releases, []);
  assert.equal(service('shop').release, null);
  assert.equal(service('shop').cwd, folder);
});

test('what a service of a group runs lies in the release, although nothing is there yet', async () => {
  const { service } = await load(
    folderWith(
      {
        services: {
          node: { script: 'server.js', args: ['--flag'], interpreterArgs: ['--enable-source-maps'] },
          own: { script: 'dist/tool', cwd: 'packages/own' },
          command: { command: './run.sh --now', health: { command: './check.sh' } },
          plain: { command: 'sleep 1' },
          typescript: { script: 'server.ts' },
          elsewhere: { script: 'server.js' },
        },
        releases: {
          shop: {
            services: ['node', 'own', 'command', 'plain', 'typescript'],
            folder: 'live',
            source: { type: 'file' },
          },
        },
      },
      { 'server.js': '' },
    ),
  );
  const node = service('node');
  const current = join(dirname(service('elsewhere').script!), 'live/current');
  assert.deepEqual(node.release, { group: 'shop', folder: dirname(current) });
  assert.equal(node.cwd, current);
  assert.equal(node.script, join(current, 'server.js'));
  assert.deepEqual(node.argv.slice(1), ['--enable-source-maps', join(current, 'server.js'), '--flag']);
  assert.equal(service('own').cwd, join(current, 'packages/own'));
  assert.deepEqual(service('own').argv, [join(current, 'packages/own/dist/tool')]);
  assert.deepEqual(service('command').argv, [join(current, 'run.sh'), '--now']);
  assert.deepEqual(service('command').health?.check, { on: 'command', argv: [join(current, 'check.sh')] });
  assert.match(service('plain').argv[0]!, /^\/.*sleep$/);
  assert.equal(service('typescript').argv.at(-1), join(current, 'server.ts'));
  assert.equal(service('elsewhere').release, null);
});

test('what belongs to the host begins at the folder of the file, also for a service that is released', async () => {
  const { folder, service } = await load(
    folderWith(
      {
        services: {
          shop: {
            script: 'server',
            envFiles: '.env',
            secrets: { KEY: { file: 'key' }, OTHER: { command: './bin/key' } },
            interpreter: './bin/runs',
            sockets: { paths: ['/run/shop.sock'] },
          },
        },
        alerts: { ops: { command: './bin/tell' } },
        releases: { shop: { source: { type: 'file' } } },
      },
      { '.env': '', key: 'x', 'bin/key': '', 'bin/runs': '', 'bin/tell': '' },
    ),
  );
  const { envFiles, secrets, argv, alerts } = service('shop');
  assert.deepEqual(envFiles, [join(folder, '.env')]);
  assert.deepEqual(secrets, {
    KEY: { file: join(folder, 'key') },
    OTHER: { command: [join(folder, 'bin/key')] },
  });
  assert.deepEqual(argv, [join(folder, 'bin/runs'), '/srv/upkeep/releases/shop/current/server']);
  assert.deepEqual(alerts[0]?.target, { via: 'command', argv: [join(folder, 'bin/tell')], cwd: folder });
});

test('every key finds its place in the specification', async () => {
  const { folder, release } = await load(
    folderWith(
      {
        services: {
          api: { script: 'server.js', port: 3000, instances: 4 },
          mailer: { script: 'mailer.js' },
        },
        releases: {
          web: {
            services: ['mailer', 'api'],
            folder: '/srv/web',
            source: {
              type: 'gitlab',
              url: 'https://gitlab.example.com/',
              project: 12,
              job: 'build',
              token: { file: 'token' },
              package: 'shop',
              keep: false,
            },
            root: 'dist',
            signature: './bin/verify {file}',
            install: { run: './install.sh', timeout: '1m' },
            build: 'node build.js',
            linked: { files: ['config/local.json'], folders: ['uploads'] },
            contract: { schema: 'config.schema.json', files: ['config/local.json'], unknown: 'ignore' },
            policy: {
              target: 'stage',
              rules: { 'debug-port': 'warn' },
              testHosts: ['test.example.com'],
              waivers: [{ rule: 'localhost', reason: 'the cache', until: '2099-12-31' }],
            },
            node: '>=20 <25 || ^26.1',
            requires: [
              { tcp: 'db:5432' },
              { http: 'https://example.com/', timeout: '1s' },
              { sql: 'DATABASE_URL' },
              { command: './ping.sh' },
            ],
            hooks: {
              beforeSwitch: ['node migrate.js', { run: './bin/tell', cwd: '.', timeout: '10m' }],
              onFailure: { run: ['./undo.sh', 'all of it'] },
            },
            verify: {
              smoke: ['/health', { command: './smoke.sh', timeout: '1m' }],
              stable: '5s',
              for: '1m',
              bake: 0,
              minRequests: 500,
              alpha: 0.05,
              latency: 'warn',
              hold: '1h',
            },
            traffic: {
              haproxy: {
                sockets: ['run/haproxy.sock', 'lb:9999'],
                servers: { api: 'web/app1' },
                drain: '1m',
              },
            },
            keep: 3,
          },
        },
      },
      { token: 'x', 'bin/verify': '', 'bin/tell': '' },
    ),
  );
  const { services, ...rest } = release;
  assert.deepEqual(
    services.map(({ name }) => name),
    ['mailer', 'api'],
  );
  const node = rest.build!.run[0]!;
  assert.match(node, /^\/.*\/node$/);
  const minutes = (count: number): number => count * 60_000;
  assert.deepEqual(rest, {
    name: 'web',
    folder: '/srv/web',
    source: {
      type: 'gitlab',
      url: 'https://gitlab.example.com',
      project: '12',
      job: 'build',
      token: { file: join(folder, 'token') },
      package: { name: 'shop', file: 'shop.tar.gz' },
      keep: false,
    },
    root: 'dist',
    signature: { argv: [join(folder, 'bin/verify'), '{file}'], cwd: folder },
    install: { by: 'command', argv: ['./install.sh'], timeoutMs: minutes(1) },
    build: { run: [node, 'build.js'], timeoutMs: minutes(10) },
    linked: { files: ['config/local.json'], folders: ['uploads'] },
    contract: {
      env: [],
      schema: 'config.schema.json',
      module: null,
      files: ['config/local.json'],
      unknown: 'ignore',
    },
    policy: {
      target: 'stage',
      rules: {
        'test-build': 'refuse',
        commit: 'refuse',
        'dirty-build': 'refuse',
        'version-tag': 'refuse',
        downgrade: 'refuse',
        'node-env': 'refuse',
        'debug-port': 'warn',
        'debug-logging': 'refuse',
        'example-value': 'warn',
        localhost: 'warn',
        'test-host': 'warn',
      },
      testHosts: ['test.example.com'],
      waivers: [{ rule: 'localhost', reason: 'the cache', until: '2099-12-31' }],
    },
    node: '>=20 <25 || ^26.1',
    requires: [
      { on: 'tcp', host: 'db', port: 5432, timeoutMs: 10_000 },
      { on: 'http', url: 'https://example.com/', timeoutMs: 1000 },
      { on: 'sql', key: 'DATABASE_URL', timeoutMs: 10_000 },
      { on: 'command', argv: ['./ping.sh'], timeoutMs: 10_000 },
    ],
    hooks: {
      afterStage: [],
      afterInstall: [],
      beforeSwitch: [
        { run: [node, 'migrate.js'], timeoutMs: minutes(5) },
        { run: [join(folder, 'bin/tell')], timeoutMs: minutes(10), cwd: folder },
      ],
      afterSwitch: [],
      afterRelease: [],
      onFailure: [{ run: ['./undo.sh', 'all of it'], timeoutMs: minutes(5) }],
    },
    verify: {
      smoke: [
        {
          service: 'api',
          check: { on: 'http', url: 'http://127.0.0.1:3000/health', status: null },
          timeoutMs: 10_000,
        },
        {
          service: 'mailer',
          check: { on: 'command', argv: ['./smoke.sh'] },
          timeoutMs: minutes(1),
        },
      ],
      stableMs: 5000,
      canary: { instances: 1, forMs: 30_000 },
      forMs: minutes(1),
      bakeMs: 0,
      minRequests: 500,
      alpha: 0.05,
      errorRate: 'refuse',
      latency: 'warn',
      newErrors: 'refuse',
      memory: 'refuse',
      noData: 'smoke',
      holdMs: minutes(60),
    },
    traffic: {
      type: 'haproxy',
      sockets: [join(folder, 'run/haproxy.sock'), 'lb:9999'],
      servers: { api: 'web/app1' },
      canaryWeight: 10,
      drainMs: minutes(1),
      allowLast: false,
    },
    keep: 3,
  });
});

test('each kind of source gets its defaults', async () => {
  const services = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { script: 'x.js' }]));
  const sha256 = 'AB'.repeat(32);
  const { folder, releases } = await load(
    folderWith(
      {
        services,
        releases: {
          a: { source: { type: 'github', repository: 'web/shop', asset: 'shop-{version}.tgz' } },
          b: { source: { type: 'git', url: '../shop.git' } },
          c: { source: { type: 'http', url: 'https://example.com/c.tgz', sha256 } },
          d: {
            source: {
              type: 'http',
              url: 'https://example.com/{version}.tgz',
              sha256: { url: 'https://example.com/{version}.sha256' },
              headers: { Accept: '*/*', 'X-Token': { file: 'token' } },
            },
          },
          e: { source: { type: 'npm', package: '@web/shop', token: { command: 'echo x' } } },
        },
      },
      { token: '' },
    ),
  );
  const [a, b, c, d, e] = releases.map(({ source }) => source);
  assert.deepEqual(a, {
    type: 'github',
    url: 'https://api.github.com',
    repository: 'web/shop',
    artifact: null,
    asset: 'shop-{version}.tgz',
    token: null,
  });
  assert.deepEqual(b, { type: 'git', url: join(dirname(folder), 'shop.git'), ref: 'HEAD' });
  assert.deepEqual(c, {
    type: 'http',
    url: 'https://example.com/c.tgz',
    sha256: { is: sha256.toLowerCase() },
    headers: {},
  });
  assert.deepEqual(d, {
    type: 'http',
    url: 'https://example.com/{version}.tgz',
    sha256: { url: 'https://example.com/{version}.sha256' },
    headers: { accept: '*/*', 'x-token': { file: join(folder, 'token') } },
  });
  assert.ok(e?.type === 'npm' && e.registry === 'https://registry.npmjs.org');
});

test('a profile changes a group key by key, and a source of another type as a whole', async () => {
  const folder = folderWith({
    services: { shop: { script: 'server.js' } },
    releases: {
      shop: {
        source: { type: 'gitlab', project: 'web/shop', job: 'build' },
        policy: { rules: { localhost: 'refuse' } },
        keep: 9,
      },
    },
    profiles: {
      stage: {
        releases: {
          shop: {
            source: { type: 'gitlab', job: 'build-stage' },
            policy: { target: 'stage', rules: { 'debug-port': 'ignore' } },
          },
        },
      },
      local: { releases: { shop: { source: { type: 'git', url: 'https://example.com/shop.git' } } } },
    },
  });
  const { release: stage } = await load(folder, { profile: 'stage' });
  assert.ok(stage.source.type === 'gitlab');
  assert.deepEqual([stage.source.project, stage.source.job, stage.keep], ['web/shop', 'build-stage', 9]);
  assert.deepEqual([stage.policy?.target, stage.policy?.rules['localhost']], ['stage', 'refuse']);
  assert.equal(stage.policy?.rules['debug-port'], 'ignore');
  const { release: local } = await load(folder, { profile: 'local' });
  assert.deepEqual(local.source, { type: 'git', url: 'https://example.com/shop.git', ref: 'HEAD' });
});

test('a profile may be the only one that has releases', async () => {
  const folder = folderWith(
    {
      services: { shop: { script: 'server.js' } },
      profiles: { live: { releases: { shop: { source: { type: 'file' } } } } },
    },
    { 'server.js': '' },
  );
  assert.equal((await load(folder)).service('shop').cwd, folder);
  const { service } = await load(folder, { profile: 'live' });
  assert.equal(service('shop').cwd, '/srv/upkeep/releases/shop/current');
});

test('a canary is made where a service has two instances, unless it is not wanted', async () => {
  const canary = async (instances: number, verify: object) => {
    const services = { shop: { script: 'server.js', instances } };
    const config = { services, releases: { shop: { source: { type: 'file' as const }, verify } } };
    return (await load(folderWith(config))).release.verify.canary;
  };
  assert.equal(await canary(1, {}), null);
  assert.deepEqual(await canary(2, {}), { instances: 1, forMs: 30_000 });
  assert.equal(await canary(2, { canary: false }), null);
  assert.deepEqual(await canary(1, { canary: { for: '1m' } }), { instances: 1, forMs: 60_000 });
});

test('commands that take a host out of the traffic run beside the file', async () => {
  const { folder, release } = await load(
    folderWith(
      {
        services: { shop: { script: 'server.js' } },
        releases: {
          shop: {
            source: { type: 'file' },
            traffic: { command: { out: './bin/lb out', in: './bin/lb in' } },
          },
        },
      },
      { 'bin/lb': '' },
    ),
  );
  const hook = (word: string) => ({ run: [join(folder, 'bin/lb'), word], timeoutMs: 300_000, cwd: folder });
  assert.deepEqual(release.traffic, { type: 'command', out: hook('out'), in: hook('in') });
});

test('the home is the one of UPKEEP_HOME where none is given', async () => {
  const folder = folderWith(SHOP);
  const file = join(folder, 'upkeep.config.yaml');
  const result = await loadConfig(file, {
    cwd: folder,
    shellEnv: { UPKEEP_HOME: '/srv/other', PATH: '/bin' },
  });
  assert.ok(result.ok);
  assert.equal(result.releases[0]?.folder, '/srv/other/releases/shop');
});

test('defineRelease is there where upkeep is not installed', async () => {
  const { release } = await load(
    folderWith(`import { defineConfig, defineRelease } from 'upkeep';
const shop = defineRelease({ source: { type: 'file' }, keep: 2 });
export default defineConfig({ services: { shop: { script: 'server.js' } }, releases: { shop } });
`),
  );
  assert.equal(release.keep, 2);
});

test('a file that lies in a release is told to be named through current', async () => {
  const outer = folderWith(SHOP);
  const inner = join(outer, '3-1.0.0-c0ffee1');
  mkdirSync(inner);
  const config = {
    ...SHOP,
    releases: { shop: { folder: '..', source: { type: 'file' as const }, verify: { smoke: '/' } } },
  };
  writeFileSync(join(inner, 'upkeep.config.json'), JSON.stringify(config));
  const { warnings } = await load(inner);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!.message, /lies in a release .*3-1\.0\.0-c0ffee1/);
  assert.ok(warnings[0]!.hint.includes(join(outer, 'current')), warnings[0]!.hint);
});

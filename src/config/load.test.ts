import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import * as v from 'valibot';
import { ServiceSpec } from '../protocol/index.js';
import { findConfig, formatDiagnostics, loadConfig, type LoadOptions } from './index.js';

const ROOT = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-config-')));
after(() => rmSync(ROOT, { recursive: true }));

const SHELL = {
  PATH: process.env['PATH'],
  HOME: '/home/me',
  LC_ALL: 'C',
  npm_config_x: '1',
  SECRET_SAUCE: 'x',
};
let folders = 0;

/** A new folder with these files, those under bin/ executable. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = join(ROOT, String(folders++));
  for (const [name, text] of Object.entries({ 'server.js': '', ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    if (name.includes('bin/')) chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

async function load(files: Readonly<Record<string, string>>, options: LoadOptions = {}) {
  const cwd = folderWith(files);
  const found = await findConfig(cwd);
  assert.ok(found.ok);
  const result = await loadConfig(found.file, {
    cwd,
    shellEnv: SHELL,
    nodePath: process.execPath,
    ...options,
  });
  if (!result.ok) assert.fail(formatDiagnostics(result.diagnostics));
  for (const service of result.services) v.parse(ServiceSpec, service);
  const named = Object.fromEntries(result.services.map((service) => [service.name, service]));
  const get = (name: string): ServiceSpec => named[name] ?? assert.fail(`no service ${name}`);
  return { cwd, get, warnings: result.warnings, services: result.services };
}

const yaml = (text: string, files: Readonly<Record<string, string>> = {}) => ({
  'upkeep.config.yaml': text,
  ...files,
});

test('a script alone gets every default', async () => {
  const { cwd, get } = await load(yaml('services: { api: { script: server.js } }'));
  assert.deepEqual(get('api'), {
    name: 'api',
    script: join(cwd, 'server.js'),
    argv: [process.execPath, join(cwd, 'server.js')],
    cwd,
    user: null,
    group: null,
    instances: 1,
    env: {
      PATH: { value: SHELL.PATH, source: 'shell' },
      HOME: { value: '/home/me', source: 'shell' },
      LC_ALL: { value: 'C', source: 'shell' },
    },
    envFiles: [],
    secrets: {},
    ports: [],
    sockets: { inherit: 'auto', holdMs: 30_000, paths: [] },
    preload: true,
    reload: { maxSurge: 1, maxUnavailable: 0, stableMs: 1000, verify: null },
    dependsOn: {},
    restartWithDependencies: false,
    restart: {
      policy: 'always',
      stopExitCodes: [],
      delayMs: 100,
      maxDelayMs: 15_000,
      stableMs: 10_000,
      limit: 10,
      windowMs: 120_000,
      retryMs: 60_000,
    },
    stop: {
      signal: 'SIGTERM',
      drainMs: 10_000,
      graceMs: 10_000,
      message: false,
      killScope: 'tree',
    },
    ready: { on: 'start', timeoutMs: 30_000 },
    health: null,
    eventLoop: { limitMs: 30_000, action: 'restart' },
    limits: { memoryBytes: null },
    logs: {
      maxFileBytes: 10 * 1024 ** 2,
      maxFiles: 100,
      maxTotalBytes: 200 * 1024 ** 2,
      rotateEveryMs: null,
      maxAgeMs: null,
      compress: true,
      perInstance: false,
    },
    alerts: [],
    schedule: null,
    watch: null,
    release: null,
    origin: { file: join(cwd, 'upkeep.config.yaml'), profile: null },
  });
});

test('specifications are frozen through and through', async () => {
  const { get } = await load(yaml('services: { api: { script: server.js } }'));
  assert.ok(Object.isFrozen(get('api').restart) && Object.isFrozen(get('api').env['PATH']));
});

test('every option finds its place in the specification', async () => {
  const text = `
services:
  - name: api
    script: server.js
    args: --queue mail
    cwd: app
    interpreter: ./node-20
    interpreterArgs: [--enable-source-maps]
    instances: max
    env: { PORT: 3000, DEBUG: true }
    envFiles: dev.env
    secrets: { TOKEN: { file: token }, KEY: { command: cat token } }
    ports: [3000, { port: 3001, host: 127.0.0.1, name: admin }]
    restart: { policy: on-failure, stopExitCodes: [0], delay: 1s, maxDelay: 1m, stable: 5s, limit: 3, window: 30s, retry: 2m }
    stop: { signal: int, grace: 30s, killScope: process }
    ready: { http: /ready, status: 204, timeout: 1m }
    health: { port: true, interval: 1s, timeout: 500, failures: 5, successes: 2, startPeriod: 1m, action: none, certificate: 30d }
    limits: { memory: 512MB }
    logs: { maxSize: 1MB, maxFiles: 3, maxTotal: 1GB, rotateEvery: 7d, maxAge: 1d, compress: false, perInstance: true }
    schedule: { restart: "0 4 * * *", timezone: Europe/Berlin }
    restartWithDependencies: true
`;
  const files = { 'app/server.js': '', 'node-20/bin/node': '', 'dev.env': '', token: '' };
  const { cwd, get } = await load(yaml(text, files));
  const api = get('api');
  assert.deepEqual(api.argv, [
    join(cwd, 'node-20/bin/node'),
    '--enable-source-maps',
    join(cwd, 'app/server.js'),
    '--queue',
    'mail',
  ]);
  assert.equal(api.cwd, join(cwd, 'app'));
  assert.equal(api.instances, availableParallelism());
  assert.deepEqual(api.env['PORT'], { value: '3000', source: 'config' });
  assert.deepEqual(api.env['DEBUG'], { value: 'true', source: 'config' });
  assert.deepEqual(api.envFiles, [join(cwd, 'dev.env')]);
  assert.deepEqual(api.secrets['TOKEN'], { file: join(cwd, 'token') });
  assert.match(JSON.stringify(api.secrets['KEY']), /^\{"command":\["\/.*\/cat","token"\]\}$/);
  assert.deepEqual(api.ports, [
    { port: 3000, host: null, name: null },
    { port: 3001, host: '127.0.0.1', name: 'admin' },
  ]);
  assert.deepEqual(api.restart, {
    policy: 'on-failure',
    stopExitCodes: [0],
    delayMs: 1000,
    maxDelayMs: 60_000,
    stableMs: 5000,
    limit: 3,
    windowMs: 30_000,
    retryMs: 120_000,
  });
  assert.deepEqual(api.stop, {
    signal: 'SIGINT',
    drainMs: 10_000,
    graceMs: 30_000,
    message: false,
    killScope: 'process',
  });
  const check = { on: 'http', url: 'http://127.0.0.1:3000/ready', status: 204 };
  assert.deepEqual(api.ready, { on: 'check', check, timeoutMs: 60_000 });
  assert.deepEqual(api.health, {
    check: { on: 'port' },
    intervalMs: 1000,
    timeoutMs: 500,
    failures: 5,
    successes: 2,
    startPeriodMs: 60_000,
    action: 'none',
    certificateMs: 30 * 86_400_000,
  });
  assert.deepEqual(api.limits, { memoryBytes: 512 * 1024 ** 2 });
  assert.deepEqual(api.logs, {
    maxFileBytes: 1024 ** 2,
    maxFiles: 3,
    maxTotalBytes: 1024 ** 3,
    rotateEveryMs: 86_400_000,
    maxAgeMs: 86_400_000,
    compress: false,
    perInstance: true,
  });
  assert.deepEqual(api.schedule, {
    restart: '0 4 * * *',
    run: null,
    overlap: 'skip',
    timezone: 'Europe/Berlin',
  });
  assert.equal(api.restartWithDependencies, true);
});

test('a service with ports is ready when it listens, and others wait for that', async () => {
  const { get } = await load(
    yaml(`
services:
  web: { command: sleep 1, dependsOn: [api, worker] }
  api: { command: sleep 1, port: 3000 }
  worker: { command: sleep 1 }
`),
  );
  assert.deepEqual(get('api').ready, { on: 'check', check: { on: 'port' }, timeoutMs: 30_000 });
  assert.deepEqual(get('web').dependsOn, { api: 'ready', worker: 'started' });
});

test('a job that runs at certain times is not restarted', async () => {
  const { get } = await load(yaml('services: { job: { command: sleep 1, schedule: { run: "@daily" } } }'));
  assert.equal(get('job').restart.policy, 'never');
});

test('watch is relative to the working folder and ignores node_modules', async () => {
  const { cwd, get } = await load(
    yaml('services: { api: { command: sleep 1, cwd: app, watch: [src] } }', { 'app/x': '' }),
  );
  const watch = { paths: [join(cwd, 'app/src')], ignore: ['node_modules', '.git'], delayMs: 200 };
  assert.deepEqual(get('api').watch, watch);
});

test('a command is split on blanks, unless it needs a shell', async () => {
  const { get } = await load(
    yaml(`
services:
  plain: { command: sleep 1 }
  words: { command: [sleep, "1 2"], args: [x] }
  piped: { command: "sleep 1 | cat", args: [x] }
`),
  );
  assert.deepEqual(get('plain').argv.slice(1), ['1']);
  assert.deepEqual(get('words').argv.slice(1), ['1 2', 'x']);
  assert.deepEqual(get('piped').argv, ['/bin/sh', '-c', 'sleep 1 | cat "$@"', 'sh', 'x']);
});

test('a script is run by what its extension names', async () => {
  const tools = folderWith({ 'bin/python3': '#!/bin/sh\n' });
  const { cwd, get } = await load(
    yaml(
      `
services:
  shell: { script: run.sh }
  python: { script: run.py }
  itself: { script: bin/tool, args: [now] }
  marked: { script: bin/tool, interpreter: none }
`,
      { 'run.sh': '', 'run.py': '', 'bin/tool': '#!/bin/sh\n' },
    ),
    { shellEnv: { ...SHELL, PATH: `${join(tools, 'bin')}:${SHELL.PATH}` } },
  );
  assert.match(get('shell').argv[0] ?? '', /\/sh$/);
  assert.equal(get('python').argv[0], join(tools, 'bin/python3'));
  assert.deepEqual(get('itself').argv, [join(cwd, 'bin/tool'), 'now']);
  assert.deepEqual(get('marked').argv, [join(cwd, 'bin/tool')]);
});

test('TypeScript runs through tsx where node cannot strip types, and natively where it can', async () => {
  const files = {
    'server.ts': '',
    'node-20/bin/node': '#!/bin/sh\necho v20.20.2\n',
    'node-22/bin/node': '#!/bin/sh\necho v22.18.0\n',
  };
  const { cwd, get } = await load(
    yaml(
      'services: { old: { script: server.ts, interpreter: ./node-20 }, new: { script: server.ts, interpreter: ./node-22 } }',
      files,
    ),
  );
  const [node, flag, loader, script] = get('old').argv;
  assert.deepEqual([node, flag, script], [join(cwd, 'node-20/bin/node'), '--import', join(cwd, 'server.ts')]);
  assert.match(loader ?? '', /^file:\/\/\/.*\/tsx\//);
  assert.deepEqual(get('new').argv, [join(cwd, 'node-22/bin/node'), join(cwd, 'server.ts')]);
});

test('the tsx of the service is preferred to that of upkeep', async () => {
  const files = {
    'server.ts': '',
    'node-20/bin/node': '#!/bin/sh\necho v20.20.2\n',
    'node_modules/tsx/package.json': '{"name":"tsx","exports":{".":"./loader.mjs"}}',
    'node_modules/tsx/loader.mjs': '',
  };
  const { cwd, get } = await load(
    yaml('services: { api: { script: server.ts, interpreter: ./node-20 } }', files),
  );
  assert.equal(get('api').argv[2], `file://${cwd}/node_modules/tsx/loader.mjs`);
});

test('each variable names the place that it came from, and null removes one', async () => {
  const text = `
env: { LOG: info, REGION: eu, HOME: null }
services:
  api: { command: sleep 1, env: { LOG: debug, REGION: null }, inheritEnv: [SECRET_SAUCE] }
profiles:
  prod: { env: { TIER: 1 }, services: { api: { env: { LOG: warn } } } }
`;
  const { get } = await load(yaml(text), { profile: 'prod' });
  assert.deepEqual(get('api').env, {
    PATH: { value: SHELL.PATH, source: 'shell' },
    LC_ALL: { value: 'C', source: 'shell' },
    SECRET_SAUCE: { value: 'x', source: 'shell' },
    LOG: { value: 'warn', source: 'profile:prod' },
    TIER: { value: '1', source: 'profile:prod' },
  });
});

test('inheritEnv: true takes the shell, but not what belongs to npm', async () => {
  const { get } = await load(yaml('services: { api: { command: sleep 1, inheritEnv: true } }'));
  assert.deepEqual(Object.keys(get('api').env).sort(), ['HOME', 'LC_ALL', 'PATH', 'SECRET_SAUCE']);
});

test('an alert tells of all services of the file but those that choose, and a profile may change it', async () => {
  const text = `
alerts:
  chat: { webhook: { file: ./hook }, body: { text: '{text}' } }
  ops: { command: [/bin/true], on: [crash], repeat: 1m, recovery: false, quiet: { from: '22:00', to: '7:30' } }
services:
  each: { script: server.js }
  some: { script: server.js, alerts: [ops] }
  none: { script: server.js, alerts: false }
profiles:
  production: { alerts: { chat: { email: ops@example.com } } }
`;
  const { cwd, get } = await load(yaml(text));
  assert.deepEqual(get('none').alerts, []);
  assert.deepEqual(get('some').alerts, [
    {
      name: 'ops',
      target: { via: 'command', argv: ['/bin/true'], cwd },
      on: ['crash'],
      repeatMs: 60_000,
      recovery: false,
      quiet: { from: 1320, to: 450, timezone: null, except: ['crash-loop', 'unhealthy', 'disk'] },
      subject: null,
      text: null,
    },
  ]);
  const [chat] = get('each').alerts;
  assert.deepEqual(chat!.target, {
    via: 'webhook',
    url: { file: join(cwd, 'hook') },
    body: { text: '{text}' },
  });
  const { get: inProduction } = await load(yaml(text), { profile: 'production' });
  const [mail] = inProduction('each').alerts;
  assert.deepEqual(mail!.target, { via: 'email', to: ['ops@example.com'], from: null, smtp: null });
});

test('a profile is merged deeply, and an alternative ends the one before', async () => {
  const text = `
services:
  api: { script: server.js, port: 3000, stop: { grace: 20s, signal: INT }, ready: { http: /a, timeout: 5s } }
profiles:
  test:
    services:
      api: { command: sleep 1, ports: [4000], stop: { grace: 1s }, ready: { port: true } }
`;
  const { get } = await load(yaml(text), { profile: 'test' });
  const api = get('api');
  assert.equal(api.script, null);
  assert.deepEqual(
    api.ports.map(({ port }) => port),
    [4000],
  );
  assert.deepEqual(api.stop, {
    signal: 'SIGINT',
    drainMs: 10_000,
    graceMs: 1000,
    message: false,
    killScope: 'tree',
  });
  assert.deepEqual(api.ready, { on: 'check', check: { on: 'port' }, timeoutMs: 5000 });
  assert.equal(api.origin.profile, 'test');
});

test('anchors and merge keys of YAML are allowed', async () => {
  const text = `
services:
  api: &base { command: sleep 1, instances: 2 }
  web: { <<: *base, instances: 3 }
`;
  const { get } = await load(yaml(text));
  assert.deepEqual([get('api').instances, get('web').instances], [2, 3]);
});

test('the first port and its address are what a path is asked on', async () => {
  const ports = '[{ port: 3000, host: "::1" }, 4000]';
  const { get } = await load(
    yaml(`services: { api: { command: sleep 1, ports: ${ports}, health: { http: /h } } }`),
  );
  assert.deepEqual(get('api').health?.check, { on: 'http', url: 'http://[::1]:3000/h', status: null });
});

test('what an answer must be', async () => {
  const rule =
    'status: [200, 300-302], method: GET, body: "/^ok$/", headers: { X-Up: "yes" }, maxLatency: 1s';
  const { get } = await load(
    yaml(`services: { api: { command: sleep 1, port: 3000, health: { http: /h, ${rule} } } }`),
  );
  assert.deepEqual(get('api').health?.check, {
    on: 'http',
    url: 'http://127.0.0.1:3000/h',
    status: null,
    answer: {
      method: 'GET',
      statuses: [
        { from: 200, to: 200 },
        { from: 300, to: 302 },
      ],
      body: { pattern: '^ok$' },
      headers: { 'x-up': { text: 'yes' } },
      latencyMs: 1000,
    },
  });
});

test('a connection is asked for by a port, or by an address and a port', async () => {
  const tcp = async (value: string): Promise<unknown> => {
    const { get } = await load(yaml(`services: { api: { command: sleep 1, health: { tcp: ${value} } } }`));
    return get('api').health?.check;
  };
  assert.deepEqual(await tcp('5432'), { on: 'port', connect: { host: '127.0.0.1', port: 5432 } });
  assert.deepEqual(await tcp('"[::1]:5432"'), { on: 'port', connect: { host: '::1', port: 5432 } });
  assert.deepEqual(await tcp('"db:5432"'), { on: 'port', connect: { host: 'db', port: 5432 } });
});

const SCRIPTS: Readonly<Record<string, string>> = {
  'upkeep.config.ts': `
    import { defineConfig } from 'upkeep';
    interface Extra { n: number }
    const extra: Extra = { n: 2 };
    export default defineConfig({ services: { api: { command: 'sleep 1', instances: extra.n, cwd: undefined } } });`,
  'upkeep.config.mts': `
    import { defineConfig } from 'upkeep';
    export default defineConfig(async ({ profile }) => ({
      services: { api: { command: 'sleep 1', instances: profile === null ? 2 : 3 } },
    }));`,
  'upkeep.config.mjs': `
    import { defineConfig } from 'upkeep';
    export default defineConfig({ services: { api: { command: 'sleep 1', instances: 2 } } });`,
  'upkeep.config.js': `module.exports = { services: { api: { command: 'sleep 1', instances: 2 } } };`,
  'upkeep.config.cjs': `
    const { defineConfig } = require('upkeep');
    module.exports = defineConfig({ services: { api: { command: 'sleep 1', instances: 2 } } });`,
  'upkeep.config.json': '{ "$schema": "x", "services": { "api": { "command": "sleep 1", "instances": 2 } } }',
  'upkeep.config.yml': '\uFEFFservices: { api: { command: sleep 1, instances: 2 } }',
};

for (const [name, text] of Object.entries(SCRIPTS)) {
  test(`${name} is read where upkeep is not installed`, async () => {
    const { get } = await load({ [name]: text });
    assert.equal(get('api').instances, 2);
  });
}

test('a TypeScript configuration in a package of type module is read', async () => {
  const { get } = await load({
    'upkeep.config.ts': SCRIPTS['upkeep.config.ts'] ?? '',
    'package.json': '{"type":"module"}',
  });
  assert.equal(get('api').instances, 2);
});

test('a changed script is read anew', async () => {
  for (const name of ['upkeep.config.ts', 'upkeep.config.mjs', 'upkeep.config.cjs']) {
    const cwd = folderWith({ [name]: SCRIPTS[name] ?? '' });
    const read = async (): Promise<number | undefined> => {
      const result = await loadConfig(join(cwd, name), { cwd, shellEnv: SHELL });
      return result.ok ? result.services[0]?.instances : undefined;
    };
    assert.equal(await read(), 2, name);
    await new Promise((resolve) => setTimeout(resolve, 10));
    writeFileSync(
      join(cwd, name),
      (SCRIPTS[name] ?? '').replace('n: 2', 'n: 5').replace('instances: 2', 'instances: 5'),
    );
    assert.equal(await read(), 5, name);
  }
});

test('a script may write the pattern of a ready line as a regular expression', async () => {
  const text =
    'export default { services: { api: { command: "sleep 1", ready: { log: /listening on \\d+/ } } } };';
  const { get } = await load({ 'upkeep.config.mjs': text });
  assert.deepEqual(get('api').ready, { on: 'log', pattern: 'listening on \\d+', timeoutMs: 30_000 });
});

test('a function may know profiles that it does not list', async () => {
  const files = { 'upkeep.config.mts': SCRIPTS['upkeep.config.mts'] ?? '' };
  const { get } = await load(files, { profile: 'prod' });
  assert.equal(get('api').instances, 3);
});

test('two configuration files in a folder are an error that names both', async () => {
  const found = await findConfig(folderWith({ 'upkeep.config.ts': '', 'upkeep.config.yaml': '' }));
  assert.ok(!found.ok);
  assert.match(formatDiagnostics(found.diagnostics), /upkeep\.config\.ts and upkeep\.config\.yaml/);
});

test('a folder or file without configuration is an error with a hint', async () => {
  const cwd = folderWith({});
  const found = await findConfig(cwd);
  assert.ok(!found.ok);
  const missing = await loadConfig('nothing.yaml', { cwd });
  assert.ok(!missing.ok);
  assert.match(formatDiagnostics(missing.diagnostics), /^nothing\.yaml the file does not exist\n {2}hint: /);
});

test('an object that cannot be made text is told as what it is', async () => {
  const api = { command: 'sleep 1', port: { toString: false }, logs: { compress: { toString: false } } };
  const cwd = folderWith({ 'upkeep.config.json': JSON.stringify({ services: { api } }) });
  const result = await loadConfig('upkeep.config.json', { cwd });
  assert.ok(!result.ok);
  assert.match(formatDiagnostics(result.diagnostics), /port[^]*compress[^]*is not true or false/);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createMute, type AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TrafficSpec } from '../../src/protocol/index.js';
import { assertSucceeded, freePort, Haproxy, NamedServer, Rig, unlessHaproxy, until } from '../rig/index.js';
import {
  CONTRACT,
  POLICY,
  problemsOf,
  ReleaseHost,
  VERIFY,
  type Judgement,
  type Situation,
} from '../rig/release-host.js';

type HaproxySpec = Extract<TrafficSpec, { type: 'haproxy' }>;

/** Planted wherever a value can stand; in no output. */
const TOKEN = 'tok-5ecret-b7f3';
const HOST = `host "${hostname()}"`;

function openHost(context: TestContext): ReleaseHost {
  const host = new ReleaseHost();
  context.after(() => host.remove());
  return host;
}

/** Refused, with the thing, the place and the next step; and nobody learns a value. */
function assertRefused({ refusal, said }: Judgement, message: RegExp, hint: RegExp): void {
  assert.equal(refusal?.code, 'release-refused', said);
  assert.match(refusal.message, /^Cannot release "web" 1\.4\.0: /);
  assert.match(refusal.message, message);
  assert.match(refusal.hint ?? '', hint);
  assert.ok(refusal.message.includes(HOST) || !message.source.includes('on host'), refusal.message);
  assert.ok(!said.includes(TOKEN), said);
}

const SCHEMA = {
  type: 'object',
  required: ['PORT', 'DATABASE_URL'],
  properties: { PORT: { type: 'integer' }, DATABASE_URL: { type: 'string', format: 'uri' } },
};
const contract = { ...CONTRACT, schema: 'config.schema.json' };
const files = { 'config.schema.json': JSON.stringify(SCHEMA) };
const env = { PORT: '3000', DATABASE_URL: `postgres://app:${TOKEN}@db.internal/app` };

test('a release whose configuration is complete passes, and says what was looked at', async (context) => {
  const judged = await openHost(context).judge({ files, env, spec: { contract } });
  assert.equal(judged.refusal, undefined);
  assert.deepEqual(problemsOf(judged), []);
  const texts = judged.checks.map(({ text }) => text);
  assert.ok(texts.includes(`2 keys of config.schema.json fit the values of ${HOST}`), texts.join('\n'));
  assert.ok(!judged.said.includes(TOKEN));
});

test('a database key that this host does not have blocks, naming key and host (models of undefined)', async (context) => {
  const shown = {
    '.env.example': '# where data is\nDATABASE_URL=postgres://user:password@localhost/app\nPORT=3000\n',
  };
  const judged = await openHost(context).judge({
    files: shown,
    env: { TOKEN },
    spec: { contract: { ...CONTRACT, env: ['.env.example'] } },
  });
  assertRefused(
    judged,
    /DATABASE_URL is missing for api on host ".+" \(\.env\.example\)$/,
    /^set DATABASE_URL under env, envFiles or secrets of api in \/srv\/upkeep\.config\.ts$/,
  );
});

test('(c1) a key that is new in the schema and has no value here blocks; one with a value is told', async (context) => {
  const host = openHost(context);
  const schema = {
    ...SCHEMA,
    required: [...SCHEMA.required, 'QUEUE_URL'],
    properties: { ...SCHEMA.properties, QUEUE_URL: { type: 'string' } },
  };
  const situation = {
    files: { 'config.schema.json': JSON.stringify(schema) },
    before: files,
    env,
    spec: { contract },
  };
  const judged = await host.judge(situation);
  assertRefused(
    judged,
    /QUEUE_URL is new since release 1\.3\.0 and has no value for api on host ".+" \(config\.schema\.json\)$/,
    /^set QUEUE_URL under env/,
  );
  assert.deepEqual(problemsOf(judged), ['contract: new-key QUEUE_URL: failed']);

  const fine = await host.judge({ ...situation, env: { ...env, QUEUE_URL: TOKEN } });
  assert.equal(fine.refusal, undefined);
  const told = fine.checks.find(({ name }) => name === 'contract: new-key QUEUE_URL');
  assert.equal(told?.text, `QUEUE_URL is new since release 1.3.0 and has a value on ${HOST}`);
});

const MANIFEST = { commit: 'abc1234', version: '1.4.0', environment: 'production', dirty: false };
const build = (manifest: object, version = '1.4.0') => ({
  'upkeep.build.json': JSON.stringify({ ...MANIFEST, ...manifest }),
  'package.json': JSON.stringify({ name: 'web', version }),
});
const policy = { policy: POLICY };
const production = { NODE_ENV: 'production', ...env };

test('(c2) a build for test blocks', async (context) => {
  const judged = await openHost(context).judge({
    files: build({ environment: 'test' }),
    env: production,
    spec: policy,
  });
  assertRefused(
    judged,
    /upkeep\.build\.json says that it is a build for test, and host ".+" is production$/,
    /^release the build for production$/,
  );
});

test('(c3) a version that is not the one of the tag, or is lower than what runs, blocks', async (context) => {
  const host = openHost(context);
  const judge = (version: string, ref: string) =>
    host.judge({
      files: build({ version }, version),
      before: build({}),
      env: production,
      spec: policy,
      job: { target: { ref } },
    });
  assertRefused(
    await judge('1.4.0', 'v1.4.1'),
    /the version is 1\.4\.0 in package\.json, and v1\.4\.1 in what was asked for$/,
    /^set the version in package\.json, tag that commit/,
  );
  assertRefused(
    await judge('1.2.9', 'v1.2.9'),
    /version 1\.2\.9 is lower than 1\.3\.0, which runs \(release 11\)$/,
    /^go back by upkeep rollback/,
  );
  assert.equal((await judge('1.3.1', 'v1.3.1')).refusal, undefined);
});

test('(c4) SQL logging and a debug port block; a waiver with a reason lets them through until its day', async (context) => {
  const host = openHost(context);
  const situation = {
    files: { ...build({}), 'config/prod.json': JSON.stringify({ db: { logging: true, password: TOKEN } }) },
    env: { ...production, NODE_OPTIONS: '--inspect=0.0.0.0:9229' },
    spec: { ...policy, contract: { ...CONTRACT, files: ['config/prod.json'] } },
  };
  const judged = await host.judge(situation);
  assertRefused(
    judged,
    /db\.logging of config\/prod\.json on host ".+" turns debug logging on; NODE_OPTIONS of api on host ".+" opens a debug port$/,
    /^set it to what production logs: db\.logging comes from config\/prod\.json$/,
  );
  const waive = ['debug-logging', 'debug-port'].map((rule) => ({
    rule,
    reason: 'case 4711',
    until: '2999-01-01',
  }));
  const waived = await host.judge({ ...situation, job: { waive } });
  assert.equal(waived.refusal, undefined);
  assert.deepEqual(
    waived.checks.flatMap(({ verdict, text }) => (verdict === 'waived' ? [text.split('; ')[1]] : [])),
    ['waived: case 4711 (until 2999-01-01)', 'waived: case 4711 (until 2999-01-01)'],
  );
  const late = waive.map((each) => ({ ...each, until: '2020-01-01' }));
  assertRefused(
    await host.judge({ ...situation, job: { waive: late } }),
    /turns debug logging on; its waiver \(case 4711\) ended with 2020-01-01; NODE_OPTIONS/,
    /or write a later day to the waiver$/,
  );
});

test('(c5) a key that the contract does not know is a warning, with what it may have meant', async (context) => {
  const host = openHost(context);
  const situation = { files, env: { ...env, PROT: TOKEN }, spec: { contract } };
  const judged = await host.judge(situation);
  assert.equal(judged.refusal, undefined);
  const [check] = judged.checks.filter(({ verdict }) => verdict === 'warned');
  assert.equal(check?.text, `PROT for api on ${HOST} is not known to config.schema.json`);
  assert.ok(!judged.said.includes(TOKEN));
  assertRefused(
    await host.judge({ ...situation, spec: { contract: { ...contract, unknown: 'refuse' } } }),
    /PROT for api on host/,
    /^remove PROT, or add it to the contract$/,
  );
});

const MODULES: Readonly<Record<string, string>> = {
  zod: `import { z } from 'zod';
    export const config = z.object({ PORT: z.coerce.number().int().max(65535), DATABASE_URL: z.url(), MODE: z.enum(['a', 'b']), GONE: z.string(), EMPTY: z.string().min(1) }).refine(() => true);`,
  joi: `import Joi from 'joi';
    export const config = Joi.object({ PORT: Joi.number().port().required(), DATABASE_URL: Joi.string().uri(), MODE: Joi.valid('a', 'b'), GONE: Joi.string().required(), EMPTY: Joi.string() });`,
  valibot: `import * as v from 'valibot';
    export const config = v.object({ PORT: v.pipe(v.string(), v.transform(Number), v.integer()), DATABASE_URL: v.pipe(v.string(), v.url()), MODE: v.picklist(['a', 'b']), GONE: v.string(), EMPTY: v.pipe(v.string(), v.nonEmpty()) });`,
  envalid: `import { port, str, url } from 'envalid';
    export const config = { PORT: port(), DATABASE_URL: url(), MODE: str({ choices: ['a', 'b'] }), GONE: str(), EMPTY: str({ default: '' }), OTHER: str({ default: 'x' }) };`,
  'standard-schema': `export const config = { '~standard': { version: 1, vendor: 'own', validate: (env) => ({ issues:
    ['PORT', 'DATABASE_URL', 'MODE', 'GONE', 'EMPTY'].map((key) => ({ path: [{ key }], message: 'not ' + env[key] })) }) } };`,
};

test('(c6) schemas of libraries judge the values in a child, and no value comes back', async (context) => {
  const host = openHost(context);
  host.install('zod', 'joi', 'valibot', 'envalid');
  for (const [library, code] of Object.entries(MODULES)) {
    const judged = await host.judge({
      files: { 'config.mjs': `console.log(process.env.PORT, process.argv);\n${code}` },
      env: { PORT: TOKEN, DATABASE_URL: TOKEN, MODE: TOKEN, EMPTY: '', NODE_OPTIONS: '--no-warnings' },
      spec: { contract: { ...CONTRACT, module: 'config.mjs#config', unknown: 'ignore' } },
    });
    assertRefused(
      judged,
      /for api on host ".+" \(config\.mjs\)/,
      /PORT, which comes from upkeep\.config\.ts$/,
    );
    const expected = [
      'contract: wrong-type PORT: failed',
      'contract: wrong-type DATABASE_URL: failed',
      'contract: wrong-type MODE: failed',
      'contract: missing-key GONE: failed',
      ...(library === 'envalid' ? [] : ['contract: empty-key EMPTY: failed']),
    ];
    assert.deepEqual(problemsOf(judged), expected, `${library}: ${judged.said}`);
  }
});

test('a contract that cannot be used is told, without what it printed', async (context) => {
  const host = openHost(context);
  const CASES: [string, RegExp][] = [
    [`throw new Error(process.env.PORT)`, /the contract config\.mjs cannot be loaded: Error, on host/],
    [
      `console.error(process.env.PORT); process.exit(1)`,
      /cannot be loaded: it ended with exit code 1 while it was, on host/,
    ],
    [`import 'no-such-package'`, /cannot be loaded: ERR_MODULE_NOT_FOUND, on host/],
    [`export const other = 1`, /has no export "config", on host/],
    [`export const config = { a: 1 }`, /"config" is no schema that is known, on host/],
  ];
  for (const [code, message] of CASES) {
    const judged = await host.judge({
      files: { 'config.mjs': code },
      env: { PORT: TOKEN },
      spec: { contract: { ...CONTRACT, module: 'config.mjs#config' } },
    });
    assertRefused(judged, message, /./);
  }
  const absent = await host.judge({ files: {}, spec: { contract: { ...CONTRACT, env: ['.env.example'] } } });
  assertRefused(absent, /the contract \.env\.example is not in the release, on host/, /^correct its path/);
});

test('values come from env files and secrets as at a start; what cannot be read is named', async (context) => {
  const host = openHost(context);
  writeFileSync(join(host.root, 'key'), `${TOKEN}\n`);
  const situation = {
    files: { ...files, '.env': `PORT=${TOKEN}\n` },
    service: {
      envFiles: [join(host.folder, 'current', '.env')],
      secrets: {
        DATABASE_URL: { file: join(host.root, 'key') },
        OTHER: { command: ['sh', '-c', `echo ${TOKEN} >&2; exit 3`] },
      },
    },
    spec: { contract: { ...contract, unknown: 'ignore' as const }, linked: { files: ['.env'], folders: [] } },
  };
  const judged = await host.judge(situation);
  assertRefused(
    judged,
    /the environment of api is not complete on host ".+": secret OTHER from secret command sh failed \(3\)/,
    /^run the command by hand to see why$/,
  );
  const whole = {
    ...situation,
    service: { ...situation.service, secrets: { DATABASE_URL: { file: join(host.root, 'key') } } },
  };
  const wrong = await host.judge(whole);
  assertRefused(
    wrong,
    /PORT is not an integer for api on host ".+" .*; DATABASE_URL is not a valid uri/,
    /^correct PORT, which comes from .*\.env$/,
  );
});

test('a port that a stranger holds is told with the stranger, and one that is free is fine', async (context) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ports = [{ port, host: null, name: null }];
  const judged = await openHost(context).judge({ files: {}, service: { ports } });
  assertRefused(
    judged,
    new RegExp(`port ${port} of api is in use by pid ${process.pid} \\(.*\\) on host`),
    /^stop that process, or set a free port for api$/,
  );
});

test('a script that is not there, or does not parse, never comes to its boot', async (context) => {
  const host = openHost(context);
  const missing = await host.judge({
    files: {},
    service: { script: join(host.folder, 'current', 'dist/main.js') },
  });
  assertRefused(
    missing,
    /api cannot run on host ".+": dist\/main\.js does not exist$/,
    /^see that the build makes it/,
  );
  const CASES: [string, Record<string, string>][] = [
    ['server.js', { 'server.js': 'const a = 1;\nconst b = ;\n' }],
    [
      'server.js',
      { 'server.js': 'import a from "./a.js";\nconst b = ;\n', 'package.json': '{"type":"module"}' },
    ],
    ['server.mjs', { 'server.mjs': 'import a from "./a.js";\nconst b = ;\n' }],
  ];
  for (const [script, files] of CASES) {
    const service = { script: join(host.folder, 'current', script) };
    const judged = await host.judge({ files, service });
    assertRefused(
      judged,
      new RegExp(`${script}:2 of api does not parse: SyntaxError: Unexpected token ';'$`),
      /^correct it, and build again$/,
    );
  }
});

test('a Node.js that is not the one that engines want blocks', async (context) => {
  const files = { 'package.json': JSON.stringify({ engines: { node: '>=99' } }) };
  const judged = await openHost(context).judge({ files });
  assertRefused(
    judged,
    /Node\.js \d+\.\d+\.\d+ \(.+\) of api on host ".+" is not in >=99, as engines of package\.json wants$/,
    /^install a Node\.js in >=99/,
  );
});

/** What `node-gyp` makes of a module for Node.js 14, as far as the loader looks; and one that does not survive being loaded. */
const OLD_MODULE = `
  struct module { int abi; unsigned flags; void *handle; const char *file; void *init, *context; const char *name; void *data, *next; };
  extern void node_module_register(void *);
  static struct module it = { .abi = 83, .file = "x.c", .name = "x" };
  __attribute__((constructor)) static void load(void) { node_module_register(&it); }`;
const CRASHING_MODULE = `#include <stdlib.h>
  __attribute__((constructor)) static void load(void) { abort(); }`;

test('native modules that do not load are named, also one that kills whoever loads it', async (context) => {
  const host = openHost(context);
  const place = (name: string): string => `node_modules/${name}/build/Release/${name}.node`;
  const compile = (name: string, code: string): void => {
    const path = join(host.root, `${name}.node`);
    execFileSync('cc', ['-shared', '-fPIC', '-xc', '-', '-o', path], { input: code });
  };
  compile('bcrypt', OLD_MODULE);
  compile('crashes', CRASHING_MODULE);
  const judged = await host.judge({
    files: { [place('broken')]: 'no library' },
    copies: { [place('bcrypt')]: 'bcrypt.node', [place('crashes')]: 'crashes.node' },
  });
  const abi = process.versions.modules;
  assertRefused(
    judged,
    new RegExp(
      `bcrypt was built for another Node \\(ABI 83, this is ${abi}\\) \\(${place('bcrypt')}, for api on host ".+"\\)`,
    ),
    /^install on this host, or with Node\.js .+: npm rebuild bcrypt$/,
  );
  const texts = judged.checks.filter(({ verdict }) => verdict === 'failed').map(({ text }) => text);
  assert.match(texts[1]!, /^broken was built for another kind of machine, or is broken /);
  assert.match(texts[2]!, /^crashes cannot be loaded: the process that loads it ended with SIGABRT /);
});

test(
  'a user who may not read the script, or does not exist, is told',
  { skip: process.getuid?.() !== 0 },
  async (context) => {
    const host = openHost(context);
    chmodSync(host.root, 0o755);
    const barred = await host.judge({
      files: {},
      service: { user: 'nobody' },
      modes: { 'server.js': 0o600 },
    });
    assertRefused(
      barred,
      /api cannot run on host ".+": user nobody cannot read server\.js/,
      /^let that user into the folders/,
    );
    const unknown = await host.judge({ files: {}, service: { user: 'no-such-user' } });
    assertRefused(unknown, /there is no user no-such-user/, /^create it \(useradd\), or correct the name$/);
  },
);

test('what the release needs is asked; who does not answer is told by place and error, without credentials', async (context) => {
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/silent')) return;
    response.statusCode = request.headers.authorization === `Basic ${btoa(`u:${TOKEN}`)}` ? 200 : 401;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => (server.closeAllConnections(), server.close()));
  const { port } = server.address() as AddressInfo;
  const refused = createServer().listen(0, '127.0.0.1');
  await once(refused, 'listening');
  const { port: closed } = refused.address() as AddressInfo;
  refused.close();
  await once(refused, 'close');
  const timeoutMs = 10_000;
  const url = (path: string, at = port): string => `http://u:${TOKEN}@127.0.0.1:${at}${path}?key=${TOKEN}`;
  const judged = await openHost(context).judge({
    files: {},
    env: { TOKEN },
    spec: {
      requires: [
        { on: 'tcp', host: '127.0.0.1', port, timeoutMs },
        { on: 'tcp', host: '127.0.0.1', port: closed, timeoutMs },
        { on: 'http', url: url('/fine'), timeoutMs },
        { on: 'http', url: url('/closed', closed), timeoutMs },
        { on: 'http', url: `http://127.0.0.1:${port}/barred`, timeoutMs },
        { on: 'http', url: url('/silent'), timeoutMs: 300 },
        { on: 'command', argv: ['sh', '-c', `test "$TOKEN" = ${TOKEN} && test -f server.js`], timeoutMs },
        { on: 'command', argv: ['sh', '-c', `echo ${TOKEN}; exit 4`], timeoutMs },
        { on: 'command', argv: ['no-such-command', TOKEN], timeoutMs },
      ],
    },
  });
  const at = `from ${HOST}`;
  assert.deepEqual(
    judged.checks.filter(({ name }) => name.startsWith('requires')).map(({ text }) => text),
    [
      `127.0.0.1:${port} answers ${at}`,
      `127.0.0.1:${closed} does not answer ${at}: ECONNREFUSED`,
      `http://127.0.0.1:${port}/fine answers ${at}`,
      `http://127.0.0.1:${closed}/closed does not answer ${at}: ECONNREFUSED`,
      `http://127.0.0.1:${port}/barred does not answer ${at}: status 401`,
      `http://127.0.0.1:${port}/silent does not answer ${at}: no answer within 300 ms`,
      `command sh answers ${at}`,
      `command sh does not answer ${at}: exit code 4`,
      `command no-such-command does not answer ${at}: ENOENT`,
    ],
  );
  assertRefused(
    judged,
    /does not answer from host/,
    /^nothing listens there: start it, or correct the port$/,
  );
});

test(
  'a load balancer that will not let the host out, or in again, refuses before anything runs',
  { skip: unlessHaproxy() },
  async (context) => {
    const host = openHost(context);
    const [front, port] = [await freePort(), await freePort()];
    const mute = createMute((socket) => socket.destroy()).listen(0, '127.0.0.1');
    context.after(() => mute.close());
    await once(mute, 'listening');
    const app2 = (mute.address() as AddressInfo).port;
    await using app1 = await NamedServer.start('app1', port);
    const backends = { web: { port: front, servers: { [app1.name]: port, app2 } } };
    await using haproxy = await Haproxy.start({ folder: join(host.root, 'haproxy'), backends });
    const judge = async (spec: Partial<HaproxySpec>, more: Partial<Situation> = {}): Promise<Judgement> =>
      host.judge({ files: {}, env: {}, ...more, spec: { ...more.spec, traffic: { ...traffic, ...spec } } });
    const verify = { ...VERIFY, canary: { instances: 1, forMs: 0 } };
    const goBack = (spec: Partial<HaproxySpec>): Promise<Judgement> =>
      judge(spec, { job: { kind: 'rollback' }, spec: { verify } });
    const traffic: HaproxySpec = {
      type: 'haproxy',
      sockets: [haproxy.socket],
      servers: { api: 'web/app1' },
      canaryWeight: 10,
      drainMs: 1000,
      allowLast: false,
    };
    const found = ({ checks }: Judgement) => checks.find(({ name }) => name === 'host: load-balancer api')!;
    await until('HAProxy has noticed that app2 does not answer', async () =>
      /web,app2,.*,DOWN,/.test(await haproxy.ask('show stat')),
    );

    const alone = found(await judge({}));
    assert.equal(alone.verdict, 'warned');
    assert.match(alone.text, /no other server up in web \(app2 is DOWN\); so api will stay in/);
    const fine = found(await judge({ allowLast: true }));
    assert.equal(fine.verdict, 'passed', fine.text);
    assert.match(fine.text, /haproxy\.sock: UP, ready, weight 100, 0 sessions$/);

    assertRefused(
      await judge({ servers: { api: 'web/app3' } }),
      /Cannot look at "web\/app3": .+ answers: there is no such server \(from host ".+"\)$/,
      /^did you mean "web\/app1"\?$|^it has app1, app2$|^did you mean "web\/app2"\?$/,
    );
    const byHand = async (command: string, how: string, again: string): Promise<void> => {
      await haproxy.ask(command);
      const first = found(await judge({ allowLast: true }));
      assert.deepEqual(
        [first.verdict, first.text],
        ['warned', 'api is out of traffic, and its first release lets it in'],
      );
      const judged = await judge({ allowLast: true }, { before: {} });
      const fact = `Cannot take "web/app1" out of traffic: ${haproxy.socket} has it ${how} already`;
      assert.ok(found(judged).text.startsWith(`${fact}, and a release would let it in (from host "`));
      const hint = `let it in: echo "${again}" | socat stdio ${haproxy.socket}`;
      assert.equal(judged.refusal?.hint, hint);
      const back = await goBack({ allowLast: true });
      assert.equal(back.refusal, undefined);
      const { verdict, text, hint: next } = found(back);
      assert.deepEqual([verdict, text, next], ['warned', 'api is out of traffic, and stays out', hint]);
      await haproxy.ask(again);
    };
    await byHand('set server web/app1 state maint', 'in maint', 'set server web/app1 state ready');
    await byHand('set weight web/app1 0', 'with a weight of 0', 'set weight web/app1 100%');
    const silent = join(host.root, 'nobody.sock');
    assertRefused(
      await judge({ sockets: [haproxy.socket, silent] }),
      /nobody\.sock: connect ENOENT/,
      /^is HAProxy running\?/,
    );
    // A rollback has no canary, and HAProxy has nothing to do for it.
    const small = { allowLast: true, canaryWeight: 0.5 };
    assert.match((await judge(small, { spec: { verify } })).refusal!.message, /it would get no traffic/);
    assert.equal(found(await goBack(small)).verdict, 'passed');
    assert.equal(found(await goBack({ servers: { api: 'web/app3' } })).verdict, 'warned');
  },
);

test('commands that switch traffic have to be there', async (context) => {
  const host = openHost(context);
  const hook = (program: string) => ({ run: [program, 'shop'], timeoutMs: 1000 });
  const judge = (last: string) =>
    host.judge({
      files: {},
      env: {},
      spec: { traffic: { type: 'command', out: hook('true'), in: hook(last) } },
    });
  assert.equal((await judge('true')).refusal, undefined);
  assertRefused(
    await judge('no-such-command'),
    /Cannot switch the traffic of "api": command "no-such-command" is not in PATH \(from host ".+"\)$/,
    /^install it, or give its absolute path$/,
  );
});

test('keys of the running instances are compared by name: what is new, gone and other', async (context) => {
  const host = openHost(context);
  await using rig = await Rig.create();
  const current = { SAME: 'a', OTHER: 'b', GONE: TOKEN, PLACE: `${host.previous}/x` };
  assertSucceeded(await rig.up({ api: rig.puppet({ env: current }) }));
  const judged = await host.judge({
    files: { 'config/prod.json': JSON.stringify({ a: 1, b: TOKEN }) },
    before: { 'config/prod.json': JSON.stringify({ a: 2 }) },
    env: { SAME: 'a', OTHER: TOKEN, NEW: 'd', PLACE: join(host.folder, 'current', 'x') },
    spec: { contract: { ...CONTRACT, files: ['config/prod.json'] } },
    job: { home: rig.home.path },
  });
  assert.equal(judged.refusal, undefined, judged.said);
  const own = (keys: readonly string[] = []) => keys.filter((key) => !/^(?:PUPPET|STAGE)/.test(key));
  assert.deepEqual(own(judged.keys?.added), ['NEW', 'config/prod.json: b']);
  assert.deepEqual(own(judged.keys?.removed), ['GONE']);
  assert.deepEqual(own(judged.keys?.changed), ['OTHER', 'config/prod.json: a']);
  assert.ok(!judged.said.includes(TOKEN));
});

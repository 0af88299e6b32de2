/**
 * Tokens are planted wherever a release meets secrets: in the environment and its files, in the token of a source, in URLs, in where a server
 * redirects to, in what servers, installers, hooks and the program answer. None of them is in anything that upkeep prints, writes or answers.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import type { ReleaseRequest, ReleaseView } from '../../src/protocol/index.js';
import { freePort, makeBuild, Shop, type ShopOptions } from '../../test/rig/index.js';

/** By where it is planted. */
const planted = new Map<string, string>();
const plant = (where: string): string => {
  const token = `planted-${randomBytes(12).toString('hex')}`;
  planted.set(token, where);
  return token;
};

const files = await listen();
const seen: { readonly where: string; readonly text: string }[] = [];

const secretEnvironment = plant('a secret variable');
const envFileValue = plant('an env file');
const headerToken = plant('the token of a source');
const urlPassword = plant('a signature in a URL');
const redirectToken = plant('where a server redirects to');
const bodyToken = plant('the body of an error');
const hookWords = plant('the environment that a hook prints');

let count = 0;
const SCENES: readonly {
  readonly name: string;
  readonly group: ShopOptions['group'];
  readonly request?: Partial<ReleaseRequest>;
}[] = [
  { name: 'a good release', group: { source: source('/good') } },
  { name: 'an error with a token in its body', group: { source: source('/error') } },
  { name: 'a redirect with a token in it, to nowhere', group: { source: source('/redirect') } },
  { name: 'a wrong checksum', group: { source: source('/wrong') } },
  {
    name: 'an installer that prints its environment and fails',
    group: { install: ['/bin/sh', '-c', `env; echo ${hookWords.slice(0, 4)}; exit 3`] },
  },
  {
    name: 'a hook that prints secrets and fails',
    group: {
      hooks: { beforeSwitch: { run: ['/bin/sh', '-c', 'env; cat .env.secret 2>/dev/null; exit 4'] } },
    },
  },
  {
    name: 'a contract that the secrets break',
    group: { contract: { env: ['.env.example'], schema: 'config.schema.json' } },
  },
  { name: 'a program that crashes with the secret in its words', group: {} },
];

for (const { name, group = {} } of SCENES) {
  await using shop = await Shop.create({
    port: await freePort(),
    group,
    service: {
      secrets: {
        DATABASE_URL: { file: '.database-url' },
      },
      envFiles: ['.env.secret'],
    },
    verify: { canary: false, stable: 0, for: 0, bake: 0, newErrors: 'ignore', smoke: '/checkout' },
  });
  writeFileSync(join(shop.rig.folder, 'app', '.source-token'), headerToken);
  writeFileSync(
    join(shop.rig.folder, 'app', '.database-url'),
    `postgres://app:${secretEnvironment}@127.0.0.1/shop\n`,
  );
  writeFileSync(join(shop.rig.folder, 'app', '.env.secret'), `API_KEY=${envFileValue}\n`);
  const build = makeBuild(shop.builds, `1.${count++}.0`, 'good', {
    '.env.example': 'DATABASE_URL=\nAPI_KEY=\nPOOL=\n',
    'config.schema.json': JSON.stringify({
      type: 'object',
      properties: { API_KEY: { type: 'string', maxLength: 3 } },
      required: ['POOL'],
    }),
    ...(name.startsWith('a program')
      ? {
          'server.cjs':
            'throw new Error(`cannot log in as ${process.env.DATABASE_URL} with ${process.env.API_KEY}`);\n',
        }
      : {}),
  });
  files.archive = readFileSync(build.archive);
  const isRemote = 'source' in group;
  const view = await shop.release(build, isRemote ? { target: {} } : {});
  console.log(`${name}: ${view.status}${view.failure ? `: ${view.failure.message.split('\n')[0]}` : ''}`);
  await look(name, shop, view);
}
files.server.close();

let leaks = 0;
for (const { where, text } of seen) {
  for (const [token, origin] of planted) {
    if (!text.includes(token)) continue;
    leaks++;
    console.log(
      `LEAK: ${origin} in ${where}: ${text.slice(Math.max(0, text.indexOf(token) - 120), text.indexOf(token) + 20)}`,
    );
  }
}
console.log(
  `${SCENES.length} releases, ${planted.size} planted secrets, ${seen.length} outputs and files searched: ${leaks} leaks`,
);
process.exitCode = leaks === 0 ? 0 : 1;

/** Everything that upkeep prints, answers and writes about it. What the program itself wrote to its log is its own. */
async function look(name: string, shop: Shop, view: ReleaseView): Promise<void> {
  const note = (where: string, text: string): void => void seen.push({ where: `${name}: ${where}`, text });
  note('the API', JSON.stringify(view));
  note('the API', JSON.stringify(await shop.rig.client.call('releases')));
  for (const args of [
    ['release', 'list'],
    ['release', 'show', view.id],
    ['release', 'report', view.id],
    ['release', 'show', view.id, '--json'],
    ['list'],
    ['show', 'shop'],
    ['operations'],
    ['events'],
    ['env', 'shop'],
    ['tree', 'shop'],
  ]) {
    const { stdout, stderr } = await shop.rig.cli(...args);
    note(`upkeep ${args.join(' ')}`, `${stdout}${stderr}`);
  }
  for (const file of walk(shop.rig.home.path)) {
    const path = relative(shop.rig.home.path, file);
    // What the program wrote, what came with the build, and sockets.
    if (/^logs\/|^releases\/shop\/\d|\.sock$|^run\//.test(path) || !statSync(file).isFile()) continue;
    note(path, readFileSync(file, 'latin1'));
  }
}

function* walk(folder: string): Generator<string> {
  for (const { name, parentPath } of readdirSync(folder, { recursive: true, withFileTypes: true }))
    yield join(parentPath, name);
}

function source(path: string): object {
  mkdirSync('/tmp', { recursive: true });
  return {
    type: 'http',
    url: `http://127.0.0.1:${files.port}${path}.tgz?signature=${urlPassword}`,
    sha256: { url: `http://127.0.0.1:${files.port}${path}.sha256` },
    headers: { 'private-token': { file: '.source-token' } },
  };
}

/** A server of builds that answers as the path says. */
async function listen(): Promise<{ archive: Buffer; port: number; server: http.Server }> {
  const state = { archive: Buffer.alloc(0), port: 0, server: undefined as unknown as http.Server };
  state.server = http.createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/error'))
      return void response
        .writeHead(403)
        .end(`no entry for ${bodyToken}, nor for ${String(request.headers['private-token'])}`);
    if (path.startsWith('/redirect.tgz'))
      return void response
        .writeHead(302, { location: `http://127.0.0.1:9/x?signature=${redirectToken}` })
        .end();
    const hash = createHash('sha256')
      .update(path.startsWith('/wrong') ? 'another' : state.archive)
      .digest('hex');
    if (path.includes('.sha256')) return void response.end(`${hash}\n`);
    response.end(state.archive);
  });
  await new Promise<void>((resolve) => state.server.listen(0, '127.0.0.1', resolve));
  state.port = (state.server.address() as AddressInfo).port;
  return state;
}

/**
 * Tokens are planted wherever a release meets secrets: in the environment and its files, in the token of a source, in URLs, in where a server
 * redirects to, in the environment of the daemon, in what servers, installers, hooks, health checks and the program answer, as they are and in
 * Base64. None of them is in anything that upkeep prints, writes or answers.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { ENDPOINTS, PROTOCOL, PROTOCOL_HEADER, type ReleaseView } from '../../src/protocol/index.js';
import { freePort, makeBuild, Shop, visit, type ShopOptions } from '../../test/rig/index.js';

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
const urlSignature = plant('a signature in a URL');
const redirectToken = plant('where a server redirects to');
const bodyToken = plant('the body of an error');
const daemonToken = plant('the environment of the daemon');
const proxyPassword = plant('the proxy of the daemon');

const SOURCE = {
  type: 'http',
  url: { file: '.source-url' },
  sha256: { url: `http://127.0.0.1:${files.port}/SHA256SUMS` },
  headers: { 'private-token': { file: '.source-token' } },
};
const SECRET_FILES = '.env.secret .database-url .source-token .source-url';
const PRINTS = `env; cat ${SECRET_FILES}; for each in ${SECRET_FILES}; do base64 $each; done; cat ${SECRET_FILES} | base64; cat ${SECRET_FILES} | base64 -w0`;

interface Scene {
  readonly name: string;
  readonly options?: Partial<ShopOptions>;
  /** Where its build is fetched; absent: a file of this host. */
  readonly from?: string;
  readonly program?: string;
  /** When it has ended, before all is looked at. */
  readonly afterwards?: (shop: Shop) => Promise<unknown>;
}

/** Fails as the path of a request says, with whatever is secret in its words. */
const TELLS_ALL = `
  const secrets = () => \`\${process.env.API_KEY} and \${process.env.DATABASE_URL}\`;
  const complain = () => {
    console.error('this comes before it:', secrets());
    console.error(new RangeError(\`no entry for \${secrets()}, \${Buffer.from(secrets()).toString('base64')}\`));
  };
  require('node:http')
    .createServer((request, response) => {
      if (request.url === '/complains') complain();
      if (request.url === '/dies') setImmediate(() => { throw new TypeError(\`cannot live with \${secrets()}\`); });
      const status = request.url === '/well' ? 503 : 200;
      response.writeHead(status, secrets(), { 'x-secret': secrets(), 'content-type': 'text/plain' }).end(secrets());
    })
    .listen(process.env.PORT);
`;

let count = 0;
const SCENES: readonly Scene[] = [
  { name: 'a good release', from: '/good', options: { group: { source: SOURCE } } },
  {
    name: 'an error with a token in its body',
    from: '/error',
    options: { group: { source: SOURCE } },
  },
  {
    name: 'a redirect with a token in it, to nowhere',
    from: '/redirect',
    options: { group: { source: SOURCE } },
  },
  { name: 'a wrong checksum', from: '/wrong', options: { group: { source: SOURCE } } },
  {
    name: 'an installer that prints its environment and fails',
    options: { group: { install: ['/bin/sh', '-c', 'env; exit 3'] } },
  },
  {
    name: 'a hook that prints every secret, and fails',
    options: {
      group: {
        source: SOURCE,
        hooks: { beforeSwitch: { run: ['/bin/sh', '-c', `${PRINTS}; exit 4`], cwd: '.' } },
      },
    },
  },
  {
    name: 'a hook that prints every secret, and a traffic command that does and fails',
    options: {
      group: {
        source: SOURCE,
        hooks: { beforeSwitch: { run: ['/bin/sh', '-c', PRINTS], cwd: '.' } },
        traffic: {
          command: {
            out: { run: ['/bin/sh', '-c', 'env | tr "\\n" " "; env | sed s/.*=// | tr "\\n" " "; exit 1'] },
            in: '/bin/true',
          },
        },
      },
    },
  },
  {
    name: 'a contract that the secrets break',
    options: { group: { contract: { env: ['.env.example'], schema: 'config.schema.json' } } },
  },
  {
    name: 'smoke checks that print, fail and ask with secrets',
    options: {
      verify: { smoke: [{ command: ['/bin/sh', '-c', 'env; env >&2; exit 5'] }, '/well'] },
    },
    program: TELLS_ALL,
  },
  {
    name: 'a program that crashes with the secrets in its words',
    program: 'throw new Error(`cannot log in as ${process.env.DATABASE_URL} with ${process.env.API_KEY}`);\n',
  },
  {
    name: 'a program that writes errors with the secrets in them, and crashes later',
    options: { verify: { smoke: '/' } },
    program: TELLS_ALL,
    async afterwards(shop) {
      await visit(shop.port, { path: '/complains' });
      await shop.rig.until(
        'the error is a kind',
        async () => (await shop.rig.client.call('errors')).kinds.length > 0,
      );
      await visit(shop.port, { path: '/dies' });
      await shop.rig.untilExplained('shop', 1);
      await shop.rig.untilInstance('shop', ({ status, attempt }) => status === 'running' && attempt > 1);
    },
  },
  {
    name: 'a health check whose answer is secret, while no daemon lives',
    options: {
      verify: { smoke: '/' },
      service: {
        health: {
          http: '/well',
          body: 'fine',
          interval: '100ms',
          failures: 1,
          startPeriod: '5s',
          action: 'none',
        },
      },
    },
    program: TELLS_ALL,
    async afterwards(shop) {
      await shop.rig.until('it was found unhealthy', async () =>
        (await shop.rig.events('shop')).some(({ type }) => type === 'instance-health'),
      );
      await shop.rig.killDaemon();
      await visit(shop.port, { path: '/complains' });
      await visit(shop.port, { path: '/dies' }).catch(() => undefined);
      await shop.rig.startDaemon();
      await shop.rig.until(
        'the error is a kind',
        async () => (await shop.rig.client.call('errors')).kinds.length > 0,
      );
    },
  },
];

for (const scene of SCENES) {
  const { name, from, program, afterwards, options = {} } = scene;
  await using shop = await Shop.create({
    port: await freePort(),
    ...options,
    service: {
      secrets: { DATABASE_URL: { file: '.database-url' } },
      envFiles: ['.env.secret'],
      ...options.service,
    },
    verify: {
      canary: false,
      stable: 0,
      for: 0,
      bake: 0,
      newErrors: 'ignore',
      smoke: '/checkout',
      ...options.verify,
    },
  });
  const write = (file: string, text: string): string => shop.rig.write(file, text);
  write('.source-token', headerToken);
  write('.source-url', signedUrl(from ?? '/good'));
  write('.database-url', `postgres://app:${secretEnvironment}@127.0.0.1/shop\n`);
  write('.env.secret', `API_KEY=${envFileValue}\n`);
  await tellDaemon(shop);
  const build = makeBuild(shop.builds, `1.${count++}.0`, 'good', {
    '.env.example': 'DATABASE_URL=\nAPI_KEY=\nPOOL=\n',
    'config.schema.json': JSON.stringify({
      type: 'object',
      properties: { API_KEY: { type: 'string', maxLength: 3 } },
      required: ['POOL'],
    }),
    ...(program === undefined ? {} : { 'server.cjs': program }),
  });
  files.archive = readFileSync(build.archive);
  const view = await shop.release(build, from === undefined ? {} : { target: {} });
  console.log(`${name}: ${view.status}${view.failure ? `: ${view.failure.message.split('\n')[0]}` : ''}`);
  await afterwards?.(shop);
  await look(name, shop, view);
}
files.server.close();

let leaks = 0;
for (const { where, text } of seen) {
  for (const [token, origin] of planted) {
    if (!tells(text, token)) continue;
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

/** As it is, or in whatever of it is Base64, however that is cut into bytes; half of it is too much, too. */
function tells(text: string, token: string): boolean {
  const half = token.slice(-16);
  if (text.includes(half)) return true;
  return (text.match(/[\w+/]{20,}={0,2}/g) ?? []).some((word) =>
    ['', 'A', 'AA', 'AAA'].some((shift) => Buffer.from(shift + word, 'base64').includes(half)),
  );
}

/** The next daemon knows them. */
async function tellDaemon({ rig }: Shop): Promise<void> {
  Object.assign(rig.env, {
    DEPLOY_TOKEN: daemonToken,
    https_proxy: `http://me:${proxyPassword}@127.0.0.1:9`,
    no_proxy: '127.0.0.1',
  });
  await rig.client.call('stopDaemon');
  await rig.startDaemon();
}

/** Everything that upkeep prints, answers and writes about it. What the program itself wrote to its log is its own. */
async function look(name: string, shop: Shop, view: ReleaseView): Promise<void> {
  const note = (where: string, text: string): void => void seen.push({ where: `${name}: ${where}`, text });
  note('what the release was answered with', JSON.stringify(view));
  const { kinds } = await shop.rig.client.call('errors');
  for (const args of [
    ['release', 'list'],
    ['release', 'show', view.id],
    ['release', 'report', view.id],
    ['release', 'show', view.id, '--json'],
    ['list'],
    ['show', 'shop'],
    ['show', 'shop', '--json'],
    ['operations', '--json'],
    ['events', '-n', '1000'],
    ['events', '-n', '1000', '--json'],
    ['env', 'shop'],
    ['tree', 'shop', '--json'],
    ['why', 'shop', '-n', '100'],
    ['why', 'shop', '--json'],
    ['errors', 'shop'],
    ...kinds.map(({ id }) => ['errors', id]),
    ['report'],
    ['alerts', '--json'],
    ['diff'],
    ['doctor'],
  ]) {
    const { stdout, stderr } = await shop.rig.cli(...args);
    note(`upkeep ${args.join(' ')}`, `${stdout}${stderr}`);
  }
  for (const { method, path } of Object.values(ENDPOINTS)) {
    // The logs of the program are its own.
    if (method !== 'GET' || path === '/v1/logs') continue;
    const ids = path.includes('/errors/') ? kinds.map(({ id }) => id) : ['1', '2'];
    for (const id of path.includes('{id}') ? ids : ['']) {
      const asked = path.replace('{name}', 'shop').replace('{id}', id);
      for (const query of ['', '?limit=1000'])
        note(`GET ${asked}${query}`, await get(shop, `${asked}${query}`));
    }
  }
  for (const file of walk(shop.rig.home.path)) {
    const path = relative(shop.rig.home.path, file);
    // What the program wrote, what came with the build, and sockets.
    if (/^logs\/|^releases\/shop\/\d|\.sock$|^run\//.test(path) || !statSync(file).isFile()) continue;
    note(path, readFileSync(file, 'latin1'));
  }
}

function get(shop: Shop, path: string): Promise<string> {
  const options = { socketPath: shop.rig.home.socket, path, headers: { [PROTOCOL_HEADER]: PROTOCOL } };
  return new Promise((resolve, reject) => {
    http.get(options, (response) => void readText(response).then(resolve, reject)).once('error', reject);
  });
}

function* walk(folder: string): Generator<string> {
  for (const { name, parentPath } of readdirSync(folder, { recursive: true, withFileTypes: true }))
    yield join(parentPath, name);
}

function signedUrl(path: string): string {
  return `http://127.0.0.1:${files.port}${path}.tgz?signature=${urlSignature}`;
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
    const hash = createHash('sha256').update(state.archive).digest('hex');
    if (path === '/SHA256SUMS')
      return void response.end(
        ['good', 'error', 'redirect', 'wrong'].map((each) => `${hash}  ${each}.tgz\n`).join(''),
      );
    response.end(path.startsWith('/wrong') ? 'another' : state.archive);
  });
  await new Promise<void>((resolve) => state.server.listen(0, '127.0.0.1', resolve));
  state.port = (state.server.address() as AddressInfo).port;
  return state;
}

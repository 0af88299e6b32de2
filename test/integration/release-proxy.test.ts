/** Builds that are fetched through a proxy. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FakeServer } from '../rig/fake-server.js';
import { SourceBench } from '../rig/source-bench.js';

function setVariables(context: TestContext, variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables);
  context.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
  });
}

const BYTES = Buffer.from('what was built');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

test('a URL of http is asked for at the proxy, which is told who asks; the origin is not', async (context) => {
  await using proxy: FakeServer = await new FakeServer((heard, response) =>
    proxy.send(heard, response, { bytes: BYTES }),
  ).open();
  using bench = new SourceBench();
  setVariables(context, { http_proxy: `http://me:PLANTED-proxy@${proxy.host}` });
  const url = 'http://builds.example/app.tgz';
  const { build } = await bench.bring({ type: 'http', url, sha256: { is: SHA256 }, headers: {} });
  assert.equal(build?.sha256, SHA256);
  const { headers, url: asked } = proxy.heard[0]!;
  const basic = Buffer.from('me:PLANTED-proxy').toString('base64');
  assert.deepEqual(
    [asked, headers.host, headers['proxy-authorization']],
    [url, 'builds.example', `Basic ${basic}`],
  );
  assert.ok(![...bench.words, bench.written()].join('\n').includes('PLANTED'));
});

test('a URL of https is reached by a tunnel; a proxy that refuses one is named', async (context) => {
  const wanted: string[] = [];
  const proxy = createServer().listen(0, '127.0.0.1');
  proxy.on('connect', ({ url = '' }, socket) => {
    wanted.push(url);
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  await once(proxy, 'listening');
  context.after(() => proxy.close());
  using bench = new SourceBench();
  const host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  setVariables(context, { https_proxy: `http://${host}` });
  const { error } = await bench.resolve({
    type: 'http',
    url: 'https://builds.example/app.tgz',
    sha256: { is: SHA256 },
    headers: {},
  });
  assert.match(
    error!.message,
    new RegExp(`builds\\.example: the proxy ${host} answered 407, 5 times in a row$`),
  );
  assert.deepEqual(new Set(wanted), new Set(['builds.example:443']));
});

const CERTIFICATE = [
  'req',
  '-x509',
  '-newkey',
  'rsa:2048',
  '-nodes',
  '-days',
  '2',
  '-subj',
  '/CN=builds.example',
];
const BENCH = fileURLToPath(new URL('../rig/source-bench.ts', import.meta.url));

test('through a tunnel a build is fetched by https, and a redirection to http is not followed', async (context) => {
  using bench = new SourceBench();
  const [key, cert] = [join(bench.folder, 'key.pem'), join(bench.folder, 'cert.pem')];
  const names = ['-addext', 'subjectAltName=DNS:builds.example', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...CERTIFICATE, ...names], { stdio: 'ignore' });
  const origin = createSecureServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    ({ url }, response) => {
      if (url === '/app.tgz') response.end(BYTES);
      else response.writeHead(302, { location: 'http://builds.example/app.tgz' }).end();
    },
  ).listen(0, '127.0.0.1');
  const proxy = createServer().listen(0, '127.0.0.1');
  proxy.on('connect', (_request, client) => {
    const through = connect((origin.address() as AddressInfo).port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      through.pipe(client).pipe(through);
    });
    for (const each of [through, client]) each.on('error', () => undefined); // the other side is gone
  });
  await Promise.all([once(origin, 'listening'), once(proxy, 'listening')]);
  context.after(() => void (origin.close(), proxy.close()));
  // In a process of its own: which certificates are trusted is read at its start.
  const script = `
    import { SourceBench } from ${JSON.stringify(BENCH)};
    const bench = new SourceBench();
    const bring = async (path) => {
      const { build, error } = await bench.bring({ type: 'http', url: 'https://builds.example' + path, sha256: { is: '${SHA256}' }, headers: {} });
      console.log(build?.bytes ?? error.message);
    };
    await bring('/down');
    await bring('/app.tgz');
    bench[Symbol.dispose]();`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    {
      env: {
        PATH: process.env.PATH,
        NODE_EXTRA_CA_CERTS: cert,
        https_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      },
    },
  );
  const refusal =
    'Cannot resolve a build of "web": builds.example redirects from https to http (builds.example)';
  assert.deepEqual(stdout.trim().split('\n'), [refusal, String(BYTES.length)]);
});

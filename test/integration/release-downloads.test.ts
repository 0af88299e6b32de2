/** Files over the network: http sources, and what goes wrong on the way. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SourceSpec } from '../../src/protocol/index.js';
import { Scene } from '../../src/release/source/scene.js';
import { Web } from '../../src/release/source/web/web.js';
import { FakeServer, type SentFile } from '../rig/fake-server.js';
import { SourceBench } from '../rig/source-bench.js';
import { until } from '../rig/index.js';

type HttpSpec = Extract<SourceSpec, { type: 'http' }>;

const LARGE = randomBytes(400_000);

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Serves files by their path; everything else is 404. */
function serve(files: Readonly<Record<string, SentFile | undefined>>): Promise<FakeServer> {
  const server: FakeServer = new FakeServer((heard, response) => {
    const file = files[heard.path];
    if (file) return server.send(heard, response, file);
    response.writeHead(404).end('nothing here');
  });
  return server.open();
}

function specOf(server: FakeServer, bytes: Buffer, over: Partial<HttpSpec> = {}): HttpSpec {
  return { type: 'http', url: `${server.url}/app.tgz`, sha256: { is: sha256(bytes) }, headers: {}, ...over };
}

test('a download tells how far it is', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE } });
  using bench = new SourceBench();
  const { choice } = await bench.resolve(specOf(server, LARGE));
  server.troubles.push({ at: '/app.tgz', times: 1, piece: 3000 });
  const { build } = await bench.fetch(specOf(server, LARGE), {}, choice);
  assert.equal(build?.bytes, LARGE.length);
  const progress = bench.said.filter((text) => /^fetching \d+ of 391 KB$/.test(text));
  assert.ok(progress.length >= 2, bench.said.join(', '));
  assert.equal(progress.at(-1), 'fetching 390 of 391 KB');
});

test('a file that has become another one meanwhile is begun anew, not put together from two', async () => {
  const file = { bytes: LARGE };
  await using server = await serve({ '/app.tgz': file });
  using bench = new SourceBench();
  const next = randomBytes(400_000);
  const { choice } = await bench.resolve(specOf(server, next));
  server.troubles.push({ at: '/app.tgz', times: 1, cutAfter: 100_000 });
  bench.onSay = (text) => {
    if (/broke off/.test(text)) file.bytes = next;
  };
  const { artifact } = await bench.fetch(specOf(server, next), {}, choice);
  assert.deepEqual(readFileSync(artifact!), next);
  assert.equal(server.heard.at(-1)?.headers.range, 'bytes=100000-');
});

test('a server that says nothing of versions of its files is asked for the whole file again', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE, etag: null } });
  using bench = new SourceBench();
  const { choice } = await bench.resolve(specOf(server, LARGE));
  server.troubles.push({ at: '/app.tgz', times: 2, cutAfter: 100_000 });
  assert.ok((await bench.fetch(specOf(server, LARGE), {}, choice)).build);
  assert.ok(server.heard.every(({ headers }) => headers.range === undefined));
});

test('a server that knows no ranges sends the whole file, and it is taken', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE, hasRanges: false } });
  using bench = new SourceBench();
  const { choice } = await bench.resolve(specOf(server, LARGE));
  server.troubles.push({ at: '/app.tgz', times: 1, cutAfter: 100_000 });
  const { artifact } = await bench.fetch(specOf(server, LARGE), {}, choice);
  assert.deepEqual(readFileSync(artifact!), LARGE);
});

test('a file that breaks off at the same place each time is given up, and nothing of it stays', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE, hasRanges: false, etag: null } });
  using bench = new SourceBench();
  const { choice } = await bench.resolve(specOf(server, LARGE));
  server.troubles.push({ at: '/app.tgz', times: 99, cutAfter: 1000 });
  const { error } = await bench.fetch(specOf(server, LARGE), {}, choice);
  assert.equal(error?.code, 'source-failed');
  assert.match(
    error.message,
    /^Cannot fetch a build of "web": the download from .* broke off after 1000 B, 5 times in a row$/,
  );
  assert.deepEqual(bench.leftovers(), []);
});

test('a file with another checksum is refused with both, and does not come into the store', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE } });
  using bench = new SourceBench();
  const { error } = await bench.bring(specOf(server, Buffer.from('what was built')));
  assert.equal(
    error?.message,
    `Cannot fetch a build of "web": what came from ${server.host} has sha256 ${sha256(LARGE)}, but what is expected says ${sha256(Buffer.from('what was built'))}`,
  );
  assert.deepEqual([await bench.store.list(), bench.leftovers()], [[], []]);
});

test('what a server itself says of its file is compared, too', async () => {
  const lie = { 'x-checksum-sha256': 'c'.repeat(64) };
  await using server = await serve({ '/app.tgz': { bytes: LARGE, headers: lie } });
  using bench = new SourceBench();
  const { error } = await bench.bring(specOf(server, LARGE));
  assert.match(error!.message, /but X-Checksum-SHA256 of .* says c{64}$/);
});

test('the checksum beside the build is read, places are filled in, and the store spares the second download', async () => {
  const sums = Buffer.from(`${'0'.repeat(64)}  other.tgz\n${sha256(LARGE)}  app-1.2.0.tgz\n`);
  await using server = await serve({
    '/1.2.0/app-1.2.0.tgz': { bytes: LARGE },
    '/1.2.0/SHA256SUMS': { bytes: sums },
  });
  using bench = new SourceBench();
  const spec = specOf(server, LARGE, {
    url: `${server.url}/{version}/app-{version}.tgz`,
    sha256: { url: `${server.url}/{version}/SHA256SUMS` },
  });
  const first = await bench.bring(spec, { version: '1.2.0' });
  assert.equal(first.build?.sha256, sha256(LARGE));
  const second = await bench.bring(spec, { version: '1.2.0' });
  assert.equal(second.artifact, first.artifact);
  assert.equal(server.heard.filter(({ path }) => path.endsWith('.tgz')).length, 2, 'a look and a download');
  const { error } = await bench.resolve(spec);
  assert.match(error!.message, /source\.url wants a \{version\}, and none is asked for$/);
  const { error: none } = await bench.resolve(spec, { version: '9.0.0' });
  assert.match(none!.message, /\/9\.0\.0\/SHA256SUMS is not there \(404\)$/);
});

test('a damaged file of the store is fetched again', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE } });
  using bench = new SourceBench();
  const { artifact } = await bench.bring(specOf(server, LARGE));
  writeFileSync(artifact!, 'damaged');
  const again = await bench.bring(specOf(server, LARGE));
  assert.deepEqual(readFileSync(again.artifact!), LARGE);
});

test('headers stay with the origin that they are for', async () => {
  await using storage = await serve({ '/real.tgz': { bytes: LARGE } });
  await using server: FakeServer = await new FakeServer(({ headers }, response) => {
    const isKnown =
      headers['x-key'] === 'PLANTED-key' && headers.authorization === 'Basic bWU6UExBTlRFRC1wdw==';
    if (isKnown)
      response.writeHead(307, { location: `${storage.url}/real.tgz?token=PLANTED-in-redirect` }).end();
    else response.writeHead(401).end('you sent PLANTED-key');
  }).open();
  using bench = new SourceBench();
  const url = `http://me:PLANTED-pw@${server.host}/app.tgz?key=PLANTED-in-query`;
  const spec = specOf(server, LARGE, { url, headers: { 'X-Key': 'PLANTED-key' } });
  assert.ok((await bench.bring(spec)).build);
  assert.ok(storage.heard.every(({ headers }) => !headers.authorization && !headers['x-key']));
  storage.troubles.push({ at: 'real', times: 99, status: 403, body: 'bad token=PLANTED-in-redirect' });
  using other = new SourceBench();
  const refused = await other.bring(spec);
  const wrong = await other.bring({ ...spec, headers: { 'X-Key': 'PLANTED-other' } });
  assert.ok(refused.error && wrong.error);
  assert.ok(
    ![...bench.words, ...other.words, bench.written(), other.written()].join('\n').includes('PLANTED'),
  );
});

test('a redirection without end is told', async () => {
  await using server: FakeServer = await new FakeServer(({ path }, response) => {
    response.writeHead(302, { location: `${path}x` }).end();
  }).open();
  using bench = new SourceBench();
  const { error } = await bench.resolve(specOf(server, LARGE));
  assert.match(error!.message, /redirects without end$/);
});

test('a server that cannot be reached, or falls silent, is told by its name', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE } });
  using bench = new SourceBench();
  const scene = new Scene('fetch', bench.job(specOf(server, LARGE), {}), {
    say: () => undefined,
    note: () => undefined,
    signal: bench.giveUp.signal,
  });
  const web = new Web(scene, { tries: 2, firstWaitMs: 10, idleMs: 300 });
  server.troubles.push({ at: '/app.tgz', times: 2, isSilent: true });
  await assert.rejects(
    web.probe({ url: new URL(`${server.url}/app.tgz`) }),
    /has been silent for 0 s, 2 times in a row$/,
  );
  await server.close();
  await assert.rejects(web.probe({ url: new URL('http://127.0.0.1:1/') }), {
    code: 'source-failed',
    message: /127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\), 2 times in a row$/,
  });
});

test('a download that is given up ends at once and leaves nothing', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE } });
  using bench = new SourceBench();
  const { choice } = await bench.resolve(specOf(server, LARGE));
  server.troubles.push({ at: '/app.tgz', times: 1, piece: 500 });
  const fetching = assert.rejects(bench.fetch(specOf(server, LARGE), {}, choice), { name: 'AbortError' });
  await until('it is under way', () => bench.said.some((text) => text.startsWith('fetching')));
  bench.giveUp.abort();
  await fetching;
  assert.deepEqual(bench.leftovers(), []);
});

test('a token is read from a file or a command when it is used; where that fails, what was read is not told', async () => {
  await using server = await serve({ '/app.tgz': { bytes: LARGE } });
  using bench = new SourceBench();
  const file = join(bench.folder, 'token');
  writeFileSync(file, 'Bearer PLANTED-file\n');
  const headers = {
    Authorization: { file },
    'X-Second': { command: ['/bin/sh', '-c', 'echo PLANTED-command'] },
  };
  assert.ok((await bench.bring(specOf(server, LARGE, { headers }))).build);
  assert.equal(server.heard.at(-1)?.headers.authorization, 'Bearer PLANTED-file');
  assert.equal(server.heard.at(-1)?.headers['x-second'], 'PLANTED-command');
  const failing = {
    'X-Key': { command: ['/bin/sh', '-c', 'echo PLANTED-half; echo PLANTED-err >&2; exit 3'] },
  };
  const { error } = await bench.resolve(specOf(server, LARGE, { headers: failing }));
  assert.match(error!.message, /the header X-Key cannot be read from command \/bin\/sh \(3\)$/);
  assert.ok(![...bench.words, bench.written()].join('\n').includes('PLANTED'));
});

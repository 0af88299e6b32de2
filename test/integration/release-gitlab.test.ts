/** Builds of GitLab: acceptance cases a1 to a5, against a server that is derived from GitLab's documented behaviour. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import type { SourceSpec } from '../../src/protocol/index.js';
import { FakeGitlab, type FakeGitlabOptions } from '../rig/fake-gitlab.js';
import { SourceBench } from '../rig/source-bench.js';
import { zip } from '../rig/zip-bytes.js';

type GitlabSpec = Extract<SourceSpec, { type: 'gitlab' }>;

const TOKEN = 'glpat-PLANTED-token-0001';
const SHA = 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122334';
const DAY_MS = 86_400_000;

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString();
}

function buildOf(text: string): Buffer {
  return zip([{ name: 'server.js', content: text }]);
}

async function open(options: FakeGitlabOptions = {}): Promise<FakeGitlab> {
  const gitlab = await FakeGitlab.open(options);
  gitlab.tokens.set(TOKEN, { role: 'reporter', scope: 'read_api' });
  gitlab.refs.set('main', SHA);
  return gitlab;
}

function specOf(gitlab: FakeGitlab, over: Partial<GitlabSpec> = {}): GitlabSpec {
  const { url, project } = gitlab;
  return { type: 'gitlab', url, project, job: 'build', token: TOKEN, package: null, keep: false, ...over };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The expired build of pipeline 98, and a later schedule without one. */
function expire(gitlab: FakeGitlab): void {
  gitlab.pipelines.push({ id: 98, sha: SHA }, { id: 99, sha: SHA, source: 'schedule' });
  gitlab.jobs.push(
    { id: 812, pipeline: 98, name: 'build', archive: null, finishedAt: daysAgo(33), expiresAt: daysAgo(3.2) },
    { id: 813, pipeline: 98, name: 'lint', finishedAt: daysAgo(32) },
    { id: 901, pipeline: 99, name: 'lint', finishedAt: daysAgo(1) },
  );
}

test('a1: an expired build is refused with the job, its expiry, why the newer pipeline was skipped, and what to do', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  expire(gitlab);

  const { error } = await bench.resolve(specOf(gitlab), { commit: SHA });

  assert.equal(error?.code, 'artifact-not-found');
  assert.equal(
    error.message,
    `Cannot resolve a build of "web": no job "build" of commit a1b2c3d4 has an archive in web/shop on ${gitlab.server.host} (2 pipelines, 1 job of that name)`,
  );
  const day = daysAgo(3.2).slice(0, 10);
  assert.equal(
    error.hint,
    `job 812 "build" expired 3 days ago, on ${day}; newer pipeline 99 has no job "build"; ` +
      `re-run job 812: ${gitlab.url}/web/shop/-/jobs/812, or publish to the package registry, where nothing expires`,
  );
  const rows = bench.candidates.map(({ pipeline, origin, name, verdict }) => [
    pipeline,
    origin,
    name,
    verdict,
  ]);
  assert.deepEqual(rows, [
    ['99', 'schedule', '-', 'has no job "build", but "lint"'],
    ['98', 'push', 'build (job 812)', `expired 3 days ago, on ${day}`],
  ]);
  assert.deepEqual((error.details as { candidates: unknown }).candidates, bench.candidates);
  assert.equal(bench.written(), '');
  assert.ok(
    gitlab.server.heard.some(({ path }) => path.endsWith('/jobs/812/artifacts')),
    'it was tried',
  );
});

test('a2: a build that was retried in its pipeline is taken, among 120 other jobs on further pages', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  for (let id = 500; id < 560; id++) gitlab.jobs.push({ id: id + 400, pipeline: 98, name: `test ${id}` });
  for (let id = 500; id < 560; id++) gitlab.jobs.push({ id, pipeline: 98, name: `deploy ${id}` });
  gitlab.jobs.push(
    {
      id: 300,
      pipeline: 98,
      name: 'build',
      archive: null,
      isRetried: true,
      finishedAt: daysAgo(20),
      expiresAt: daysAgo(1),
    },
    { id: 301, pipeline: 98, name: 'build', archive: buildOf('retried'), finishedAt: daysAgo(1) },
  );

  const { error, build, artifact } = await bench.bring(specOf(gitlab), { commit: SHA });

  assert.equal(error, undefined);
  assert.equal(build?.sha256, sha256(buildOf('retried')));
  assert.equal(build.commit, SHA);
  assert.deepEqual(readFileSync(artifact!), buildOf('retried'));
  const pages = gitlab.server.heard.filter(({ url }) => url.includes('/pipelines/98/jobs'));
  assert.deepEqual(
    pages.map(({ url }) => new URLSearchParams(url.split('?')[1]).get('page')),
    ['1', '2'],
  );
});

test('a2: an old server that lists the retried build first is not believed', async () => {
  await using gitlab = await open({ version: 13 });
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push(
    {
      id: 300,
      pipeline: 98,
      name: 'build',
      archive: buildOf('old'),
      isRetried: true,
      finishedAt: daysAgo(9),
    },
    { id: 301, pipeline: 98, name: 'build', archive: buildOf('new'), finishedAt: daysAgo(8) },
  );
  const { build } = await bench.bring(specOf(gitlab), { commit: SHA });
  assert.equal(build?.sha256, sha256(buildOf('new')));
  assert.deepEqual(
    bench.candidates.map(({ verdict }) => verdict),
    ['older than job 301', 'chosen'],
  );
});

test('a3: a build that has expired by its date and is still there is downloaded', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({
    id: 812,
    pipeline: 98,
    name: 'build',
    archive: buildOf('locked'),
    expiresAt: daysAgo(3.5),
  });

  const { build } = await bench.bring(specOf(gitlab), { ref: 'main' });

  assert.equal(build?.sha256, sha256(buildOf('locked')));
  const [row] = bench.candidates;
  assert.equal(row?.verdict, 'chosen: expired 3 days ago by its date, but it is still there');
  assert.equal(row.isChosen, true);
});

test('a4: an object storage that the server redirects to sees no token', async () => {
  await using gitlab = await open({ hasStorage: true });
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive: buildOf('stored') });

  const { build } = await bench.bring(specOf(gitlab), { commit: SHA });

  assert.equal(build?.sha256, sha256(buildOf('stored')));
  assert.ok(gitlab.storage.heard.length >= 2, 'it was looked at and fetched there');
  for (const { headers, url } of gitlab.storage.heard) {
    assert.ok(!JSON.stringify([headers, url]).includes('PLANTED'));
    for (const name of ['private-token', 'job-token', 'authorization', 'cookie'])
      assert.equal(headers[name], undefined);
  }
  assert.ok(gitlab.server.heard.every(({ headers }) => headers['private-token'] === TOKEN));
  assert.ok(![...bench.words, bench.written()].join('\n').includes(gitlab.signature));
});

test('a5: what was fetched is in the store, whole and private, and needs no server any more', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive: buildOf('kept') });
  const spec = specOf(gitlab);
  const { choice } = await bench.resolve(spec, { commit: SHA });
  const first = await bench.fetch(spec, { commit: SHA }, choice);
  const { host } = gitlab.server;
  await gitlab.server.close();

  const again = await bench.fetch(spec, { commit: SHA }, choice);

  assert.deepEqual(again.build, first.build);
  assert.equal(again.artifact, first.artifact);
  const { path, provenance } = (await bench.store.find(first.build!.sha256))!;
  assert.equal(path, `${bench.home}/store/sha256/${first.build!.sha256.slice(0, 2)}/${first.build!.sha256}`);
  for (const file of [path, `${path}.json`]) assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(provenance.commit, SHA);
  assert.equal(provenance.from, `job 812 "build" of web/shop on ${host}`);
  assert.deepEqual(bench.leftovers(), []);
});

test('the newest build of all pipelines is taken, also of a child pipeline, and never one that failed', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.pipelines.push(
    { id: 97, sha: SHA },
    { id: 98, sha: SHA, source: 'parent_pipeline' },
    { id: 99, sha: SHA, status: 'failed' },
    { id: 100, sha: 'f'.repeat(40) },
  );
  gitlab.jobs.push(
    { id: 1, pipeline: 97, name: 'build', archive: buildOf('first'), finishedAt: daysAgo(4) },
    { id: 2, pipeline: 98, name: 'build', archive: buildOf('child'), finishedAt: daysAgo(3) },
    {
      id: 3,
      pipeline: 99,
      name: 'build',
      archive: buildOf('failed'),
      status: 'failed',
      finishedAt: daysAgo(2),
    },
    { id: 4, pipeline: 100, name: 'build', archive: buildOf('another commit'), finishedAt: daysAgo(1) },
  );
  const { build } = await bench.bring(specOf(gitlab), { commit: SHA.slice(0, 10) });
  assert.equal(build?.sha256, sha256(buildOf('child')));
  assert.deepEqual(
    bench.candidates.map(({ name, verdict }) => [name, verdict]),
    [
      ['build (job 3)', 'failed'],
      ['build (job 2)', 'chosen'],
      ['build (job 1)', 'older than job 2'],
    ],
  );
});

test('a package of the version goes before jobs, and its checksum is compared', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  const spec = specOf(gitlab, { package: { name: 'shop', file: 'shop-{version}.zip' } });
  gitlab.packages.push(
    {
      name: 'shop',
      version: '1.4.0',
      file: 'shop-1.4.0.zip',
      bytes: buildOf('1.4.0'),
      createdAt: daysAgo(9),
    },
    {
      name: 'shop-admin',
      version: '9.0.0',
      file: 'shop-9.0.0.zip',
      bytes: buildOf('other'),
      createdAt: daysAgo(1),
    },
  );
  gitlab.refs.set('v1.4.0', SHA).set('v1.5.0', SHA);
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive: buildOf('by job') });

  const byVersion = await bench.bring(spec, { version: '1.4.0' });
  assert.equal(byVersion.build?.sha256, sha256(buildOf('1.4.0')));
  assert.equal(byVersion.build.commit, SHA);
  const latest = await bench.bring(spec);
  assert.equal(latest.build?.version, '1.4.0');
  assert.match(latest.text!, /is in the store already$/);
  const byJob = await bench.bring(spec, { version: '1.5.0' });
  assert.equal(byJob.build?.sha256, sha256(buildOf('by job')));
  assert.deepEqual(bench.candidates.map(({ name, verdict }) => [name, verdict]).slice(0, 1), [
    ['shop 1.5.0', 'is not in the package registry, or hidden from the token'],
  ]);
});

test('a deploy token reads packages, and is told why it reads no jobs', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.tokens.set('gldt-PLANTED', { role: 'reporter', scope: 'deploy' });
  gitlab.packages.push({ name: 'shop', version: '2.0.0', file: 'shop.zip', bytes: buildOf('2') });
  const spec = specOf(gitlab, { token: 'gldt-PLANTED', package: { name: 'shop', file: 'shop.zip' } });
  const choice = {
    from: 'x',
    commit: null,
    version: '2.0.0',
    identity: null,
    sha256: null,
    place: { version: '2.0.0', file: 'shop.zip' },
  };
  const { build } = await bench.fetch(spec, { version: '2.0.0' }, choice);
  assert.equal(build?.sha256, sha256(buildOf('2')));
  const { error } = await bench.resolve({ ...spec, package: null }, { commit: SHA });
  assert.match(error!.hint!, /^a deploy token cannot read builds of jobs, only packages/);
});

test('artifacts are kept where that is configured; where the token may not, a note says so', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.tokens.set('glpat-api', { role: 'developer', scope: 'api' });
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({
    id: 812,
    pipeline: 98,
    name: 'build',
    archive: buildOf('kept'),
    expiresAt: daysAgo(-5),
  });
  const weak = await bench.bring(specOf(gitlab, { keep: true }), { commit: SHA });
  assert.match(weak.notes![0]!, /^job 812 may still expire: .*403 insufficient_scope/);
  assert.deepEqual(gitlab.kept, []);
  using other = new SourceBench();
  const strong = await other.bring(specOf(gitlab, { keep: true, token: 'glpat-api' }), { commit: SHA });
  assert.deepEqual([strong.notes, gitlab.kept], [[], [812]]);
});

const REFUSALS: readonly {
  readonly what: string;
  readonly over?: Partial<GitlabSpec>;
  readonly target?: object;
  readonly message: RegExp;
  readonly hint: RegExp;
}[] = [
  {
    what: 'no token',
    over: { token: null },
    message: /does not exist on .*, or nobody may see it without a token \(404 Project Not Found\)$/,
    hint: /^set source\.token: .*read_api/,
  },
  {
    what: 'a wrong token',
    over: { token: 'glpat-PLANTED-wrong' },
    message: /does not accept the token \(401 Unauthorized\)$/,
    hint: /neither expired nor been revoked/,
  },
  {
    what: 'a token without the scope',
    over: { token: 'narrow-PLANTED' },
    message: /has not the scope that web\/shop on .* asks for \(403 insufficient_scope/,
    hint: /scope read_api/,
  },
  {
    what: 'a guest',
    over: { token: 'guest-PLANTED' },
    message: /may not read builds of web\/shop on .* \(403 Forbidden\)$/,
    hint: /role Reporter/,
  },
  {
    what: 'a hidden project',
    over: { project: 'web/other' },
    message:
      /project web\/other does not exist on .*, or is hidden from the token \(404 Project Not Found\)$/,
    hint: /source\.project/,
  },
  {
    what: 'an unknown commit',
    target: { commit: 'deadbeef00' },
    message: /commit deadbeef00 is not in web\/shop on /,
    hint: /^push it/,
  },
  {
    what: 'an unknown branch',
    target: { ref: 'nope' },
    message: /neither a branch nor a tag "nope" is in web\/shop/,
    hint: /push it/,
  },
  {
    what: 'an unknown version',
    target: { version: '9.9.9' },
    message: /version 9\.9\.9 has neither a package nor a tag \(v9\.9\.9, 9\.9\.9\)/,
    hint: /tag the commit/,
  },
  {
    what: 'a misspelt job',
    over: { job: 'biuld' },
    message: /no job "biuld" of commit a1b2c3d4/,
    hint: /did you mean "build"\?$/,
  },
];

for (const { what, over = {}, target = { commit: SHA }, message, hint } of REFUSALS) {
  test(`${what} is told by its name, with the next step`, async () => {
    await using gitlab = await open();
    using bench = new SourceBench();
    gitlab.tokens.set('narrow-PLANTED', { role: 'developer', scope: 'read_repository' });
    gitlab.tokens.set('guest-PLANTED', { role: 'guest', scope: 'read_api' });
    gitlab.pipelines.push({ id: 98, sha: SHA });
    gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive: buildOf('x') });
    const { error } = await bench.resolve(specOf(gitlab, over), target);
    assert.match(error!.message, message);
    assert.match(error!.hint!, hint);
    assert.ok(!bench.words.join('\n').includes('PLANTED'));
  });
}

test('an address that is no GitLab, or a GitLab below a path, is told or found', async () => {
  await using gitlab = await open({ relativeUrl: '/gitlab' });
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive: buildOf('x') });
  assert.ok((await bench.bring(specOf(gitlab, { url: `${gitlab.url}/` }), {})).build);
  const { error } = await bench.resolve(specOf(gitlab, { url: gitlab.server.url }), { commit: SHA });
  assert.match(error!.message, /has no such place in its API \(404 Not Found\)$/);
  const { error: none } = await bench.resolve(specOf(gitlab, { url: 'gitlab.example' }), { commit: SHA });
  assert.match(none!.message, /source\.url is no URL of http or https$/);
});

test('busy and broken answers are tried again, as long as the server wants', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive: buildOf('at last') });
  gitlab.server.troubles.push(
    { at: '/pipelines?', times: 1, status: 502, body: '<html>Bad Gateway</html>' },
    { at: '/jobs?', times: 1, status: 429, headers: { 'retry-after': '1' } },
    { at: '/jobs/812/artifacts', times: 1, status: 503 },
  );
  const startedAt = performance.now();
  const { build } = await bench.bring(specOf(gitlab), { commit: SHA });
  assert.equal(build?.sha256, sha256(buildOf('at last')));
  assert.ok(performance.now() - startedAt >= 1000, 'a Retry-After was waited for');
  assert.equal(bench.said.filter((text) => / try 2 of 5 in /.test(text)).length, 3);
});

test('a server that wants to be left alone for an hour is not waited for', async () => {
  await using gitlab = await open();
  using bench = new SourceBench();
  gitlab.server.troubles.push({ at: '/commits/', times: 9, status: 429, headers: { 'retry-after': '3600' } });
  const { error } = await bench.resolve(specOf(gitlab), { commit: SHA });
  assert.match(error!.message, /answered 429 \(too many requests\) and wants to be left alone for 1h$/);
  assert.equal(gitlab.server.heard.length, 1);
});

test('a download that breaks three times is taken up where it broke', async () => {
  await using gitlab = await open({ hasStorage: true });
  using bench = new SourceBench();
  const archive = zip([{ name: 'large.bin', content: randomBytes(300_000) }]);
  gitlab.pipelines.push({ id: 98, sha: SHA });
  gitlab.jobs.push({ id: 812, pipeline: 98, name: 'build', archive });
  const { choice } = await bench.resolve(specOf(gitlab), { commit: SHA });
  gitlab.storage.troubles.push({ at: '/artifacts/812', times: 3, cutAfter: 70_000 });

  const { build } = await bench.fetch(specOf(gitlab), { commit: SHA }, choice);

  assert.equal(build?.sha256, sha256(archive));
  const ranges = gitlab.storage.heard
    .map(({ headers }) => headers.range)
    .filter((range) => range !== undefined);
  assert.equal(ranges.length, 3);
  assert.ok(
    gitlab.storage.heard
      .filter(({ headers }) => headers.range)
      .every(({ headers }) => headers['if-range']?.toString().startsWith('"')),
  );
});

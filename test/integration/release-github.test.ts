/** Builds of GitHub, against a server that is derived from its documented behaviour. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { SourceSpec } from '../../src/protocol/index.js';
import { FakeGithub } from '../rig/fake-github.js';
import { SourceBench } from '../rig/source-bench.js';
import { zip } from '../rig/zip-bytes.js';

type GithubSpec = Extract<SourceSpec, { type: 'github' }>;

const TOKEN = 'github_pat_PLANTED';
const SHA = 'b1b2c3d4e5f60718293a4b5c6d7e8f9001122334';

function buildOf(text: string): Buffer {
  return zip([{ name: 'server.js', content: text }]);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function open(): Promise<FakeGithub> {
  const github = await FakeGithub.open();
  github.tokens.add(TOKEN);
  github.refs.set('main', SHA).set('v1.2.0', SHA);
  return github;
}

function specOf(github: FakeGithub, over: Partial<GithubSpec> = {}): GithubSpec {
  return {
    type: 'github',
    url: github.url,
    repository: github.repository,
    artifact: 'build',
    asset: null,
    token: TOKEN,
    ...over,
  };
}

test('the newest artifact of all runs of the commit is taken; one of a run that failed is not', async () => {
  await using github = await open();
  using bench = new SourceBench();
  github.runs.push(
    { id: 10, sha: SHA },
    { id: 11, sha: SHA, conclusion: 'failure' },
    { id: 12, sha: SHA, event: 'schedule' },
  );
  github.artifacts.push(
    { id: 1, run: 10, name: 'build', zip: buildOf('first'), createdAt: '2026-11-20T10:00:00Z' },
    { id: 2, run: 10, name: 'build', zip: buildOf('second'), createdAt: '2026-11-20T11:00:00Z' },
    { id: 3, run: 11, name: 'build', zip: buildOf('failed'), createdAt: '2026-11-21T10:00:00Z' },
    { id: 4, run: 12, name: 'coverage', zip: buildOf('no'), createdAt: '2026-11-22T10:00:00Z' },
  );
  for (let id = 100; id < 205; id++)
    github.artifacts.unshift({ id, run: 10, name: `report ${id}`, zip: buildOf('r') });

  const { build } = await bench.bring(specOf(github));

  assert.equal(build?.sha256, sha256(buildOf('second')));
  assert.equal(build.commit, SHA);
  const rows = bench.candidates.map(({ pipeline, origin, name, verdict }) => [
    pipeline,
    origin,
    name,
    verdict,
  ]);
  assert.deepEqual(rows, [
    ['12', 'schedule', 'CI', 'has no artifact "build"'],
    ['11', 'push', 'build (artifact 3)', 'its run ended with failure'],
    ['10', 'push', 'build (artifact 1)', 'older than artifact 2'],
    ['10', 'push', 'build (artifact 2)', 'chosen'],
  ]);
  assert.ok(github.storage.heard.every(({ headers }) => headers.authorization === undefined));
});

test('an artifact of the run that goes on is taken: its last job may be the one that releases', async () => {
  await using github = await open();
  using bench = new SourceBench();
  github.runs.push({ id: 10, sha: SHA, conclusion: null });
  github.artifacts.push({ id: 1, run: 10, name: 'build', zip: buildOf('x') });
  assert.ok((await bench.bring(specOf(github), { commit: SHA })).build);
});

test('an artifact that has expired is refused with its run, and what to do', async () => {
  await using github = await open();
  using bench = new SourceBench();
  github.runs.push({ id: 10, sha: SHA }, { id: 12, sha: SHA, event: 'schedule' });
  github.artifacts.push({
    id: 1,
    run: 10,
    name: 'build',
    zip: buildOf('x'),
    isExpired: true,
    expiresAt: '2026-01-02T00:00:00Z',
  });
  const { error } = await bench.resolve(specOf(github), { commit: SHA });
  assert.equal(error?.code, 'artifact-not-found');
  assert.match(error.message, /no run of commit b1b2c3d4 has a usable artifact "build" in acme\/shop on /);
  assert.match(
    error.hint!,
    /^artifact 1 "build" expired \d+ days ago, on 2026-01-02; newer run 12 has no artifact "build"; re-run run 10: http.*\/actions\/runs\/10, or attach the build to a release/,
  );
});

test('the file of a release is taken by its tag, with its digest', async () => {
  await using github = await open();
  using bench = new SourceBench();
  github.releases.push({
    id: 5,
    tag: 'v1.2.0',
    assets: [{ id: 51, name: 'shop-1.2.0.zip', bytes: buildOf('1.2.0') }],
  });
  const spec = specOf(github, { artifact: null, asset: 'shop-{version}.zip' });
  for (const target of [{ version: '1.2.0' }, { ref: 'v1.2.0' }, {}]) {
    const { build } = await bench.bring(spec, target);
    assert.equal(build?.sha256, sha256(buildOf('1.2.0')));
    assert.deepEqual([build.version, build.commit], ['1.2.0', SHA]);
  }
  assert.equal(github.storage.heard.length, 1, 'by its digest the store knows that it has it');
  const { error } = await bench.resolve({ ...spec, asset: 'shop-{version}.tgz' }, { version: '1.2.0' });
  assert.match(error!.message, /release v1\.2\.0 of acme\/shop on .* has no file "shop-1\.2\.0\.tgz"$/);
  assert.match(error!.hint!, /did you mean "shop-1\.2\.0\.zip"\?$/);
  const { error: none } = await bench.resolve(spec, { version: '3.0.0' });
  assert.match(none!.message, /has no release for the tag v3\.0\.0 or 3\.0\.0$/);
});

test('what GitHub refuses is told apart', async () => {
  await using github = await open();
  using bench = new SourceBench();
  const messageOf = async (over: Partial<GithubSpec>, target = { commit: SHA }): Promise<string> =>
    (await bench.resolve(specOf(github, over), target)).error!.message;
  assert.match(
    await messageOf({ token: null }),
    /does not exist on .*, or nobody may see it without a token \(404 Not Found\)$/,
  );
  assert.match(
    await messageOf({ token: 'github_pat_PLANTED_wrong' }),
    /does not accept the token \(401 Bad credentials\)$/,
  );
  assert.match(
    await messageOf({ repository: 'acme/other' }),
    /repository acme\/other does not exist on .*, or is hidden from the token/,
  );
  assert.match(await messageOf({}, { commit: 'f'.repeat(40) }), /commit f{40} is not in acme\/shop on /);
  github.server.troubles.push({
    at: '/commits/',
    times: 1,
    status: 403,
    headers: {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(Math.ceil(Date.now() / 1000) + 1800),
    },
  });
  assert.match(
    await messageOf({}),
    /answered 403 \(too many requests\) and wants to be left alone for (?:29|30)m/,
  );
  assert.ok(!bench.words.join('\n').includes('PLANTED'));
});

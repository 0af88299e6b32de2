/** Builds from this host, from git and from a registry of npm; and the store that all of them come to. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SourceSpec } from '../../src/protocol/index.js';
import { ArtifactStore } from '../../src/release/artifact-store.js';
import { FakeServer, sendJson } from '../rig/fake-server.js';
import { snapshot } from '../rig/snapshot.js';
import { SourceBench } from '../rig/source-bench.js';
import { tar } from '../rig/tar-bytes.js';

const FILE: SourceSpec = { type: 'file', path: null };

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

// ── files and folders ───────────────────────────────────────────────────────────────────────────────────────────────

test('an archive of this host is copied into the store; a later change of it changes nothing there', async () => {
  using bench = new SourceBench();
  const path = join(bench.folder, 'app.tar');
  const bytes = tar({ name: 'a', content: 'a' });
  writeFileSync(path, bytes);
  const { build, artifact } = await bench.bring(FILE, { file: path, sha256: sha256(bytes) });
  writeFileSync(path, 'another');
  assert.equal(build?.sha256, sha256(bytes));
  assert.deepEqual(readFileSync(artifact!), bytes);
  const { error } = await bench.resolve(FILE, { file: path, sha256: sha256(bytes) });
  assert.match(error!.message, /has sha256 [\da-f]{64}, and [\da-f]{64} is asked for$/);
});

test('a folder becomes a tree without .git, whose hash says what it holds and nothing else', async () => {
  using bench = new SourceBench();
  const [one, two] = [join(bench.folder, 'one'), join(bench.folder, 'two')];
  for (const folder of [one, two]) {
    write(folder, { 'server.js': 'x', 'lib/a.js': 'a', 'lib/b.js': 'b', '.git/config': folder });
    symlinkSync('lib/a.js', join(folder, 'link'));
  }
  utimesSync(join(two, 'server.js'), 1, 1);
  chmodSync(join(two, 'lib/a.js'), 0o600);
  const first = await bench.bring(FILE, { file: one });
  const { ino } = statSync(first.artifact!);
  const second = await bench.bring({ type: 'file', path: two });
  assert.equal(statSync(first.artifact!).ino, ino, 'another group may be copying it: it stays where it is');
  writeFileSync(join(first.artifact!, 'server.js'), 'damaged');
  await bench.bring({ type: 'file', path: two });
  assert.equal(readFileSync(join(first.artifact!, 'server.js'), 'utf8'), 'x');
  assert.equal(first.build?.sha256, second.build?.sha256);
  assert.equal(
    first.artifact,
    `${bench.home}/store/sha256/${first.build!.sha256.slice(0, 2)}/${first.build!.sha256}.tree`,
  );
  assert.deepEqual(readdirSync(first.artifact).sort(), ['lib', 'link', 'server.js']);
  chmodSync(join(two, 'lib/a.js'), 0o755);
  const third = await bench.bring(FILE, { file: two });
  assert.notEqual(third.build?.sha256, first.build?.sha256);
  assert.equal((await bench.store.list()).length, 2);
  assert.deepEqual(bench.leftovers(), []);
});

test('a folder with a link that leads out, or with a socket, is refused with its path', async () => {
  using bench = new SourceBench();
  const folder = join(bench.folder, 'app');
  write(folder, { 'deep/a.js': 'a' });
  symlinkSync('../../secret', join(folder, 'deep', 'out'));
  const { error } = await bench.bring(FILE, { file: folder });
  assert.equal(error?.code, 'archive-refused');
  assert.match(
    error.message,
    /"deep\/out" in ".*app" is a link to "\.\.\/\.\.\/secret", out of the archive$/,
  );
  rmSync(join(folder, 'deep', 'out'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const { error: other } = await bench.bring(FILE, { file: folder });
  assert.match(other!.message, /"pipe" in ".*app" is neither a file, a folder nor a link$/);
  assert.deepEqual([await bench.store.list(), bench.leftovers()], [[], []]);
});

test('what is not there, or not said, is told with the next step', async () => {
  using bench = new SourceBench();
  const { error: none } = await bench.resolve(FILE);
  assert.match(none!.hint!, /^release by --file/);
  const { error: gone } = await bench.resolve(FILE, { file: join(bench.folder, 'none.tgz') });
  assert.match(gone!.message, /none\.tgz" cannot be read \(ENOENT\)$/);
  const { error: relative } = await bench.resolve(FILE, { file: 'app.tgz' });
  assert.match(relative!.message, /the path "app\.tgz" is not absolute$/);
});

// ── git ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

const IDENTITY = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main'];

function git(folder: string, ...args: string[]): string {
  return execFileSync('git', [...IDENTITY, '-C', folder, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** Two commits; the first is v1.0.0. */
function makeRepository(folder: string): { first: string; second: string } {
  mkdirSync(folder);
  git(folder, 'init', '-q');
  write(folder, { 'server.js': 'one', 'bin/start': '#!/bin/sh\n' });
  chmodSync(join(folder, 'bin/start'), 0o755);
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'one');
  git(folder, 'tag', '-a', '-m', 'one', 'v1.0.0');
  const first = git(folder, 'rev-parse', 'HEAD');
  write(folder, { 'server.js': 'two' });
  git(folder, 'commit', '-qam', 'two');
  return { first, second: git(folder, 'rev-parse', 'HEAD') };
}

test('a branch, a tag, a version and a commit of a git repository become the tree of that commit', async () => {
  using bench = new SourceBench();
  const repository = join(bench.folder, 'shop');
  const { first, second } = makeRepository(repository);
  const spec: SourceSpec = { type: 'git', url: repository, ref: 'main' };
  const cases = [
    [{}, second],
    [{ ref: 'main' }, second],
    [{ ref: 'v1.0.0' }, first],
    [{ version: '1.0.0' }, first],
    [{ commit: first }, first],
    [{ commit: second.slice(0, 12) }, second],
  ] as const;
  for (const [target, commit] of cases) {
    const { error, build, artifact } = await bench.bring(spec, target);
    assert.equal(error, undefined);
    assert.equal(build?.commit, commit);
    assert.equal(readFileSync(join(artifact!, 'server.js'), 'utf8'), commit === first ? 'one' : 'two');
    assert.deepEqual(
      snapshot(artifact!).filter((line) => line.includes('.git')),
      [],
    );
  }
  assert.equal((await bench.store.list()).length, 2);
  rmSync(repository, { recursive: true });
  const { choice } = {
    choice: {
      from: 'x',
      commit: first,
      version: null,
      identity: `git:${first}`,
      sha256: null,
      place: { commit: first },
    },
  };
  assert.ok(
    (await bench.fetch(spec, { commit: first }, choice)).build,
    'a commit that is in the store needs no repository',
  );
});

test('a repository that runs commands, by its URL or its filters, runs none', async () => {
  using bench = new SourceBench();
  const mark = join(bench.folder, 'ran');
  const repository = join(bench.folder, 'shop');
  makeRepository(repository);
  write(repository, {
    '.gitattributes': '*.js filter=lfs\n',
    '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ext::touch ${mark}\n`,
  });
  git(repository, 'add', '.');
  git(repository, 'commit', '-qm', 'tricks');
  git(repository, 'config', 'filter.lfs.smudge', `touch ${mark}`);
  const { error } = await bench.bring({ type: 'git', url: `ext::touch ${mark}`, ref: 'main' });
  assert.match(error!.message, /transport 'ext' not allowed/);
  const { error: option } = await bench.bring({
    type: 'git',
    url: `--upload-pack=touch ${mark}`,
    ref: 'main',
  });
  assert.equal(option?.code, 'source-failed');
  const { notes } = await bench.bring({ type: 'git', url: repository, ref: 'main' });
  assert.deepEqual(notes, [
    'the repository has submodules: their folders are empty in the release',
    'the repository keeps files in Git LFS: the release has pointers in their place',
  ]);
  assert.ok(!existsSync(mark));
});

test('user and token of a git URL reach the server, and nothing else', async () => {
  await using server: FakeServer = await new FakeServer(({ headers }, response) => {
    if (headers.authorization === undefined)
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    else response.writeHead(403).end('no access for PLANTED-git-token');
  }).open();
  using bench = new SourceBench();
  const { error } = await bench.resolve({
    type: 'git',
    url: `http://bot:PLANTED-git-token@${server.host}/shop.git`,
    ref: 'main',
  });
  const sent = server.heard.flatMap(({ headers }) => headers.authorization ?? []);
  assert.ok(sent.includes(`Basic ${Buffer.from('bot:PLANTED-git-token').toString('base64')}`));
  assert.match(error!.message, /http:\/\/127\.0\.0\.1:\d+\/shop\.git does not let this host read it/);
  assert.ok(!bench.words.join('\n').includes('PLANTED'));
});

test('what git does not have is told with what was looked for', async () => {
  using bench = new SourceBench();
  const repository = join(bench.folder, 'shop');
  makeRepository(repository);
  const spec: SourceSpec = { type: 'git', url: repository, ref: 'main' };
  assert.match(
    (await bench.resolve(spec, { ref: 'nope' })).error!.message,
    /a branch or tag "nope" is not in /,
  );
  assert.match(
    (await bench.resolve(spec, { version: '7.0.0' })).error!.message,
    /a tag of version 7\.0\.0 \(v7\.0\.0, 7\.0\.0\) is not in /,
  );
  const { error } = await bench.bring(spec, { commit: 'f'.repeat(40) });
  assert.match(error!.message, /commit f{40} is in no branch or tag of /);
  const { error: none } = await bench.resolve({ ...spec, url: join(bench.folder, 'none') });
  assert.match(none!.message, /is no repository, or hidden \(git: fatal: /);
});

// ── npm ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** As registries answer (github.com/npm/registry, docs/responses/package-metadata.md). */
async function openRegistry(
  tarball: Buffer,
  over: { integrity?: string; tarballAt?: string } = {},
): Promise<FakeServer> {
  const server: FakeServer = new FakeServer((heard, response) => {
    if (heard.path.endsWith('.tgz')) return server.send(heard, response, { bytes: tarball });
    if (heard.headers.authorization !== 'Bearer npm_PLANTED')
      return sendJson(response, 401, { error: `unauthorized ${heard.headers.authorization}` });
    if (!heard.path.startsWith('/npm/@acme%2Fshop')) return sendJson(response, 404, { error: 'Not found' });
    const integrity = over.integrity ?? `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    const versions = Object.fromEntries(
      ['1.0.0', '1.1.0', '2.0.0-rc.1'].map((version, index) => [
        version,
        {
          ...{ name: '@acme/shop', version, gitHead: String(index).repeat(40) },
          dist: {
            tarball: over.tarballAt ?? `${server.url}/npm/@acme/shop/-/shop-${version}.tgz`,
            integrity,
          },
        },
      ]),
    );
    const [, , , version] = heard.path.split('/');
    if (version !== undefined) return sendJson(response, 200, (versions as Record<string, unknown>)[version]);
    return sendJson(response, 200, {
      name: '@acme/shop',
      'dist-tags': { latest: '1.1.0', next: '2.0.0-rc.1' },
      versions,
    });
  });
  return server.open();
}

const TARBALL = gzipSync(tar({ name: 'package/package.json', content: '{}' }));

function npmSpec(server: FakeServer): SourceSpec {
  return { type: 'npm', package: '@acme/shop', registry: `${server.url}/npm/`, token: 'npm_PLANTED' };
}

test('a package is taken by version, tag or commit, and its sha512 compared', async () => {
  await using server = await openRegistry(TARBALL);
  using bench = new SourceBench();
  const versions: (string | null | undefined)[] = [];
  for (const target of [{}, { version: '1.0.0' }, { ref: 'next' }, { commit: '1'.repeat(40) }]) {
    const { error, build } = await bench.bring(npmSpec(server), target);
    assert.equal(error, undefined);
    assert.equal(build?.sha256, sha256(TARBALL));
    versions.push(build.version, build.commit?.slice(0, 2));
  }
  assert.deepEqual(versions, ['1.1.0', '11', '1.0.0', '00', '2.0.0-rc.1', '22', '1.1.0', '11']);
  assert.equal(server.heard.filter(({ path }) => path.endsWith('.tgz')).length, 3, 'one was in the store');
  const { error } = await bench.resolve(npmSpec(server), { version: '1.2.0' });
  assert.match(error!.message, /@acme\/shop on 127\.0\.0\.1:\d+ has no version 1\.2\.0$/);
  assert.match(error!.hint!, /did you mean 1\.[01]\.0\?/);
});

test('a package that is not what the registry says is refused, and the token goes to the registry alone', async () => {
  await using elsewhere: FakeServer = await new FakeServer((heard, response) =>
    elsewhere.send(heard, response, { bytes: TARBALL }),
  ).open();
  await using server = await openRegistry(TARBALL, {
    integrity: `sha512-${createHash('sha512').update('other').digest('base64')}`,
    tarballAt: `${elsewhere.url}/shop.tgz`,
  });
  using bench = new SourceBench();
  const { error } = await bench.bring(npmSpec(server));
  assert.match(
    error!.message,
    /has sha512 [\da-f]{128}, but the registry about version 1\.1\.0 says [\da-f]{128}$/,
  );
  assert.equal(elsewhere.heard[0]?.headers.authorization, undefined);
  const { error: refused } = await bench.resolve({
    ...npmSpec(server),
    token: 'npm_PLANTED-wrong',
  } as SourceSpec);
  assert.match(
    refused!.message,
    /does not accept the token for @acme\/shop \(401 unauthorized Bearer \*\*\*\)$/,
  );
  assert.ok(!bench.words.join('\n').includes('PLANTED'));
});

// ── the store ───────────────────────────────────────────────────────────────────────────────────────────────────────

test('pruning keeps what is to be kept and what is young, and clears everything else away', async () => {
  using bench = new SourceBench();
  const bring = async (content: string): Promise<string> => {
    const path = join(bench.folder, 'app.tar');
    writeFileSync(path, tar({ name: 'a', content }));
    return (await bench.bring(FILE, { file: path })).build!.sha256;
  };
  const kept = await bring('kept');
  const old = await bring('old');
  const folder = join(bench.folder, 'app');
  write(folder, { a: 'a' });
  const tree = (await bench.bring(FILE, { file: folder })).build!.sha256;
  const store = new ArtifactStore(bench.home);
  assert.deepEqual(await store.prune(new Set([kept])), [], 'all of them are young');
  assert.deepEqual((await store.prune(new Set([kept]), { spareMs: 0 })).sort(), [old, tree].sort());
  assert.deepEqual(
    (await store.list()).map((each) => each.sha256),
    [kept],
  );
  assert.ok(!bench.written().includes(old));
});

test('an artifact without its note is not there: the note is written last', async () => {
  using bench = new SourceBench();
  const path = join(bench.folder, 'app.tar');
  writeFileSync(path, tar({ name: 'a', content: 'a' }));
  const { build, artifact } = await bench.bring(FILE, { file: path });
  rmSync(`${artifact}.json`);
  assert.equal(await bench.store.find(build!.sha256), null);
  writeFileSync(`${artifact}.json`, '{"format":');
  assert.equal(await bench.store.find(build!.sha256), null);
  assert.ok((await bench.bring(FILE, { file: path })).artifact);
  assert.ok(await bench.store.find(build!.sha256));
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UpkeepError } from '../../src/protocol/index.js';
import type { StageJob } from '../../src/release/job.js';
import { stageBuild } from '../../src/release/stage/stage-build.js';
import { Listener, NO_HOOKS, ReleaseSite } from '../rig/release-job.js';
import { snapshot } from '../rig/snapshot.js';

const COMMIT = '4f9c2aa51b0e7d6c3f8a9b1c2d3e4f5a6b7c8d9e';
const SERVER = { name: 'package/server.js', content: 'serve()' };

async function refusal(job: StageJob, listener = new Listener()): Promise<UpkeepError> {
  const error: unknown = await stageBuild(job, listener).catch((reason: unknown) => reason);
  assert.ok(error instanceof UpkeepError, `it went on: ${JSON.stringify(error)}`);
  return error;
}

/** Without what is made anew each time. */
function namesOf(site: ReleaseSite): string[] {
  return readdirSync(site.folder)
    .filter((name) => name !== '.logs')
    .toSorted();
}

test('an archive becomes a folder of its only top folder, named by number, version and commit', async (context) => {
  const site = new ReleaseSite(context);
  const manifest = JSON.stringify({ commit: COMMIT, version: '2.4.1' });
  const stored = site.store(SERVER, { name: 'package/upkeep.build.json', content: manifest });

  const result = await stageBuild(site.job('12', stored), new Listener());

  assert.equal(result.folder, join(site.folder, '12-2.4.1-4f9c2aa'));
  assert.equal(readFileSync(join(result.folder, 'server.js'), 'utf8'), 'serve()');
  assert.deepEqual([result.build?.commit, result.build?.version], [COMMIT, '2.4.1']);
  assert.match(result.text!, /^staged in .*12-2\.4\.1-4f9c2aa; .+ free on .+ at \//);
  assert.deepEqual(namesOf(site), ['12-2.4.1-4f9c2aa', 'shared']);
});

test('a build without a manifest is named by its package.json', async (context) => {
  const site = new ReleaseSite(context);
  const package_ = JSON.stringify({ version: '1.0.0-rc.1/../x', gitHead: COMMIT });
  const stored = site.store(SERVER, { name: 'package/package.json', content: package_ });

  const { folder } = await stageBuild(site.job('3', stored), new Listener());

  assert.equal(folder, join(site.folder, '3-1.0.0-rc.1-..-x-4f9c2aa'));
});

test('a folder of the store is taken by the rules that archives are taken by', async (context) => {
  const site = new ReleaseSite(context);
  const tree = join(site.work, 'build.tree');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  writeFileSync(join(tree, 'bin/start'), '#!/bin/sh\n', { mode: 0o775 });
  writeFileSync(join(tree, 'secret'), 'x', { mode: 0o600 });
  symlinkSync('bin/start', join(tree, 'start'));
  const stored = await site.storeTree(tree);

  const { folder } = await stageBuild(site.job('1', stored), new Listener());

  assert.deepEqual(
    snapshot(folder!).filter((line) => !line.startsWith('.upkeep')),
    snapshot(tree, { modeOf: (mode) => (mode & 0o111 ? 0o755 : 0o644) }),
  );
  writeFileSync(join(tree, 'secret'), 'changed');
  const changed = await refusal(site.job('2', stored));
  assert.match(changed.message, /it has sha256 [\da-f]{64}, and not the [\da-f]{64} that was kept$/);
  symlinkSync('../../outside', join(tree, 'bin/escape'));
  const error = await refusal(site.job('2', stored));
  assert.equal(error.code, 'archive-refused');
  assert.match(error.message, /entry "bin\/escape" is a link to "..\/..\/outside", out of the archive/);
  assert.deepEqual(namesOf(site), ['shared'], 'the first was never installed: it is swept');
});

test('FIFOs, setuid files and names that are one to some file systems are refused in folders, too', async (context) => {
  const site = new ReleaseSite(context);
  const { build } = site.store(SERVER);
  const cases: [string, (tree: string) => void][] = [
    ['fifo', (tree) => execFileSync('mkfifo', [join(tree, 'queue')])],
    ['special-mode', (tree) => execFileSync('sh', ['-c', 'echo x > su && chmod 4755 su'], { cwd: tree })],
    ['same-but-for-case', (tree) => execFileSync('touch', ['A.js', 'a.js'], { cwd: tree })],
  ];
  for (const [rule, spoil] of cases) {
    const tree = join(site.work, rule);
    mkdirSync(tree);
    writeFileSync(join(tree, 'good'), 'good');
    spoil(tree);
    const error = await refusal(site.job('1', { artifact: tree, build }));
    assert.deepEqual([error.code, (error.details as { rule: string }).rule], ['archive-refused', rule]);
  }
  assert.deepEqual(namesOf(site), ['shared']);
});

test('a root within the build becomes the release, and no link of it leads to the rest', async (context) => {
  const site = new ReleaseSite(context);
  const pieces = [
    { name: 'apps/web/server.js', content: 'serve()' },
    { name: 'lib/secret', content: 'x' },
    { name: 'upkeep.build.json', content: JSON.stringify({ version: '1.2.3' }) },
  ];
  const good = site.job('1', site.store(...pieces), { root: 'apps/web' });
  const bad = site.job(
    '2',
    site.store(...pieces, { name: 'apps/web/lib', type: '2', linkName: '../../lib' }),
    { root: 'apps/web' },
  );

  const { folder, build } = await stageBuild(good, new Listener());
  const error = await refusal(bad);
  const missing = await refusal({ ...good, spec: { ...good.spec, root: 'apps/api' } });

  assert.deepEqual([folder, build?.version], [join(site.folder, '1-1.2.3'), '1.2.3']);
  assert.match(error.message, /"lib" is a link to "..\/..\/lib", out of the archive/);
  assert.equal(
    missing.message,
    'Cannot find root "apps/api" in the build: the build has no folder "api" there',
  );
  assert.equal(missing.hint, 'correct root; there are "web"');
});

test('a build of another commit, another version or another lockfile is refused by name', async (context) => {
  const site = new ReleaseSite(context);
  const lock = { name: 'package-lock.json', content: '{"lockfileVersion":3}' };
  const lockfile = createHash('sha256').update(lock.content).digest('hex');
  const manifest = {
    name: 'upkeep.build.json',
    content: JSON.stringify({ commit: COMMIT, version: '2.4.1', lockfile }),
  };
  const job = site.job('1', site.store(manifest, lock));
  const other = site.job('1', site.store(manifest, { ...lock, content: '{"lockfileVersion":3} ' }));
  const bare = site.job('1', site.store(lock));
  const listener = new Listener();

  const wrongCommit = await refusal({ ...job, target: { commit: 'b'.repeat(40) } }, listener);
  const wrongVersion = await refusal({ ...job, target: { version: '2.4.2' } });
  const wrongLockfile = await refusal(other);
  const unnamed = await refusal({ ...bare, target: { commit: COMMIT } });
  const right = await stageBuild(
    { ...job, target: { commit: COMMIT.slice(0, 8), version: 'v2.4.1' } },
    new Listener(),
  );
  const vouched = await stageBuild(
    { ...bare, id: '2', build: { ...bare.build!, commit: COMMIT } },
    new Listener(),
  );

  assert.equal(wrongCommit.code, 'release-refused');
  assert.equal(
    wrongCommit.message,
    'Cannot stage release 1 from /builds/web.tgz: upkeep.build.json of the build names commit 4f9c2aa51b0e, and bbbbbbbbbbbb was asked for',
  );
  assert.match(wrongCommit.hint!, /^build commit bbbbbbbbbbbb again, or ask for 4f9c2aa51b0e/);
  assert.equal(listener.noted[0]?.checks?.[0]?.verdict, 'failed');
  assert.match(wrongVersion.message, /names version 2\.4\.1, and 2\.4\.2 was asked for/);
  assert.match(
    wrongLockfile.message,
    /package-lock\.json is not the lockfile that upkeep\.build\.json names/,
  );
  assert.match(unnamed.message, /the build names no commit, and 4f9c2aa51b0e was asked for/);
  assert.deepEqual(
    right.checks?.map(({ verdict }) => verdict),
    ['passed', 'passed', 'passed'],
  );
  assert.deepEqual(
    vouched.checks?.map(({ verdict }) => verdict),
    ['unknown'],
  );
});

test('a manifest that is none is refused with the key', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(SERVER, { name: 'package/upkeep.build.json', content: '{"dirty": "no"}' });
  const error = await refusal(site.job('1', stored));
  assert.match(error.message, /^Cannot read "upkeep\.build\.json" of the build: dirty: /);
});

test('an artifact that was changed in the store is refused', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(SERVER);
  const job = site.job('1', stored);
  const other = site.store({ ...SERVER, content: 'evil()' });
  writeFileSync(stored.artifact, readFileSync(other.artifact));
  const error = await refusal(job);
  assert.deepEqual([error.code, (error.details as { rule: string }).rule], ['archive-refused', 'checksum']);
});

test('what is no archive is refused as such', async (context) => {
  const site = new ReleaseSite(context);
  for (const bytes of ['', 'x', 'no archive at all']) {
    const error = await refusal(site.job('1', site.storeBytes(Buffer.from(bytes))));
    assert.equal(error.code, 'archive-refused');
  }
});

test('linked files and folders take the place of what the build has there, and it is told', async (context) => {
  const site = new ReleaseSite(context);
  const linked = { files: ['config/production.json'], folders: ['uploads', 'var/log'] };
  const stored = site.store(
    SERVER,
    { name: 'package/config/production.json', content: '{"from":"build"}' },
    { name: 'package/uploads/.keep', content: '' },
  );
  const job = site.job('1', stored, { linked });

  const missing = await refusal(job);
  writeFileSync(join(site.folder, 'shared/config/production.json'), '{"from":"host"}', { mode: 0o600 });
  const { folder, notes } = await stageBuild(job, new Listener());

  const shared = join(site.folder, 'shared');
  assert.equal(
    missing.message,
    `Cannot link "config/production.json" into the release: "${shared}/config/production.json" does not exist`,
  );
  assert.match(missing.hint!, /^put the file there once/);
  assert.equal(readFileSync(join(folder!, 'config/production.json'), 'utf8'), '{"from":"host"}');
  assert.equal(readlinkSync(join(folder!, 'var/log')), '../../shared/var/log');
  for (const path of [...linked.files, ...linked.folders])
    assert.equal(realpathSync(join(folder!, path)), realpathSync(join(shared, path)));
  assert.deepEqual(notes, [
    `The file "config/production.json" of the build was replaced by the one in ${shared}`,
    `The folder "uploads" of the build was replaced by the one in ${shared}`,
  ]);
  assert.equal(lstatSync(join(shared, 'config/production.json')).mode & 0o777, 0o600);
});

test('nothing is linked through a link of the build, or out of the release', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(
    SERVER,
    { name: 'package/data', type: '2', linkName: 'lib' },
    { name: 'package/lib/x', content: '' },
  );
  const through = await refusal(site.job('1', stored, { linked: { files: [], folders: ['data/uploads'] } }));
  const out = await refusal(site.job('1', stored, { linked: { files: [], folders: ['../uploads'] } }));
  assert.equal(through.message, 'Cannot link "data/uploads" into the release: "data" is a link in it');
  assert.equal(out.message, 'Cannot link "../uploads" into the release: it is no path within it');
  assert.deepEqual(namesOf(site), ['shared']);
});

test('too little room is said with figures and the file system, before anything is written', async (context) => {
  const site = new ReleaseSite(context);
  const { build, artifact } = site.storeBytes(Buffer.alloc(1024));
  truncateSync(artifact, 4 * 1024 ** 4); // a tar of 4 TB, without a block of it

  const error = await refusal(site.job('1', { build, artifact }));

  assert.equal(error.code, 'release-refused');
  assert.match(
    error.message,
    /^Cannot stage release 1 in ".+": it needs 12288 GB, 3 times the 4096 GB of the build, and [\d.]+ GB are free on .+ \(\w+, at \/.*\)$/,
  );
  assert.match(error.hint!, /^make room there, or keep fewer releases: du -sh /);
});

test('a signature is checked by a program that gets the archive, and what it says against it is told', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(SERVER);
  const says = (script: string) => ({ signature: { argv: ['/bin/sh', '-c', script, 'verify'] } });

  await stageBuild(site.job('1', stored, says('test -s "$1"')), new Listener());
  const error = await refusal(site.job('2', stored, says('echo "unknown key of $1" >&2; exit 3')));

  assert.match(
    error.message,
    /^Cannot trust build [\da-f]{64} of release 2: "\/bin\/sh -c .+" says no: it exited with code 3$/,
  );
  assert.deepEqual((error.details as { lines: string[] }).lines, [`unknown key of ${stored.artifact}`]);
  assert.deepEqual(namesOf(site), ['shared']);
});

test('a check of a signature runs where it says, with the archive in its place', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(SERVER);
  const argv = ['/bin/sh', '-c', 'echo "$PWD $*" > called', 'verify', '--in={file}', 'last'];

  await stageBuild(site.job('1', stored, { signature: { argv, cwd: site.home } }), new Listener());

  const called = readFileSync(join(site.home, 'called'), 'utf8').trim();
  assert.equal(called, `${site.home} --in=${stored.artifact} last`);
});

test('a stage that is done again takes the place of what the first try left, and never that of another release', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(SERVER);
  const job = site.job('1', stored);
  const first = await stageBuild(job, new Listener());
  writeFileSync(join(first.folder!, 'half'), '');
  mkdirSync(join(site.folder, '.staging-1/build'), { recursive: true });

  const again = await stageBuild(job, new Listener());

  assert.equal(again.folder, first.folder);
  assert.equal(existsSync(join(again.folder!, 'half')), false);
  mkdirSync(join(site.folder, '2'));
  writeFileSync(join(site.folder, '2/precious'), '');
  const error = await refusal(site.job('2', stored));
  assert.match(error.message, /^Cannot stage in ".+\/2": it exists, and it is another release$/);
  assert.ok(existsSync(join(site.folder, '2/precious')));
});

test('a hook after the stage sees the release, and where it fails the release is gone', async (context) => {
  const site = new ReleaseSite(context);
  const stored = site.store(SERVER);
  const after = (script: string) => ({
    hooks: { ...NO_HOOKS, afterStage: [{ run: ['/bin/sh', '-c', script], timeoutMs: 10_000 }] },
  });
  const { folder } = await stageBuild(site.job('1', stored, after('cat server.js > made')), new Listener());
  assert.equal(readFileSync(join(folder!, 'made'), 'utf8'), 'serve()');
  const error = await refusal(site.job('2', stored, after('echo no; exit 1')));
  assert.equal(error.code, 'release-refused');
  assert.deepEqual(namesOf(site), ['shared'], 'release 1 was never installed, so it is half, and swept');
});

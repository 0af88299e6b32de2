import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UpkeepError, type ReleaseSpec } from '../../src/protocol/index.js';
import { makeCurrent, readCurrent } from '../../src/release/folder/current.js';
import { sweepStaging } from '../../src/release/folder/sweep.js';
import { installDependencies } from '../../src/release/install/install-dependencies.js';
import type { StageJob } from '../../src/release/job.js';
import { stageBuild } from '../../src/release/stage/stage-build.js';
import { findByEnvironment } from '../../src/system/index.js';
import { until } from '../rig/index.js';
import { NpmRegistry } from '../rig/npm-registry.js';
import {
  countingProgram,
  Listener,
  NO_HOOKS,
  npmProject,
  packPackage,
  ReleaseSite,
} from '../rig/release-job.js';
import { snapshot } from '../rig/snapshot.js';
import type { TarPiece } from '../rig/tar-bytes.js';

const WORKER = fileURLToPath(new URL('../rig/stage-worker.ts', import.meta.url));
const NPM = join(dirname(process.execPath), 'npm');
const SERVER = { name: 'server.js', content: 'require("greet")' };

/** npm waits up to a minute before it tries again. */
const IMPATIENT = 'fetch-retry-mintimeout=10\nfetch-retry-maxtimeout=20\n';

let registry: NpmRegistry;
before(async () => (registry = await NpmRegistry.start()));
after(() => registry.stop());

/** Staged, and ready to be installed. */
async function staged(
  site: ReleaseSite,
  id: string,
  pieces: readonly TarPiece[],
  changes: Partial<ReleaseSpec> = {},
): Promise<StageJob> {
  const job = site.job(id, site.store(SERVER, ...pieces), changes);
  const { folder, build } = await stageBuild(job, new Listener());
  return { ...job, folder: folder!, build: build! };
}

/** With an npm that counts, and a home of its own. */
function isolate(context: TestContext, site: ReleaseSite, program = NPM, word = 'ci') {
  const counting = countingProgram(join(site.work, 'bin'), program, word);
  const { PATH, HOME } = process.env;
  process.env.PATH = `${counting.path}:${PATH}`;
  process.env.HOME = site.work;
  writeFileSync(join(site.work, '.npmrc'), `registry=${registry.url}\n${IMPATIENT}`);
  context.after(() => void Object.assign(process.env, { PATH, HOME }));
  return counting;
}

async function failure(job: StageJob, listener = new Listener()): Promise<UpkeepError> {
  const error: unknown = await installDependencies(job, listener).catch((reason: unknown) => reason);
  assert.ok(error instanceof UpkeepError, `it went on: ${JSON.stringify(error)} ${String(error)}`);
  return error;
}

function greet(version = '1.0.0') {
  return registry.publish('greet', version, { 'index.js': `module.exports = 'hello ${version}'` });
}

test('what the lockfile names is installed once, and copied into the releases after', async (context) => {
  const site = new ReleaseSite(context);
  const npm = isolate(context, site);
  const packages = [greet(), registry.publish('words', '2.0.0', { 'index.js': '' })];
  const first = await staged(site, '1', npmProject(packages));
  const { text } = await installDependencies(first, new Listener());
  const before = registry.downloads;
  const second = await staged(site, '2', npmProject(packages, { version: '1.0.1' }));

  const again = await installDependencies(second, new Listener());

  assert.match(text!, /^installed with npm [\d.]+: 5 files in /);
  assert.match(again.text!, /^as installed before with npm [\d.]+: 5 files in /);
  assert.deepEqual([npm.count(), registry.downloads - before], [1, 0]);
  const files = (job: StageJob) => snapshot(join(job.folder!, 'node_modules'));
  assert.deepEqual(files(second), files(first));
  const inode = (job: StageJob) => lstatSync(join(job.folder!, 'node_modules/greet/index.js'));
  assert.notEqual(inode(first).ino, inode(second).ino);
  assert.equal(inode(first).nlink, 1);
});

test('a release is read-only once it is installed, and what is linked is not', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  const job = await staged(
    site,
    '1',
    [...npmProject([greet()]), { name: 'bin/run', mode: 0o755, content: '' }],
    {
      linked: { files: [], folders: ['uploads'] },
    },
  );

  await installDependencies(job, new Listener());

  const modes = snapshot(job.folder!).map((line) => line.split(' ').slice(1, 3).join(' '));
  assert.deepEqual([...new Set(modes)].toSorted(), ['file 444', 'file 555', 'folder 555', 'link to']);
  assert.equal(lstatSync(join(site.folder, 'shared/uploads')).mode & 0o777, 0o755);
  assert.equal((await installDependencies(job, new Listener())).text, 'it was installed before');
});

test('another lockfile, another kind of dependencies or another version of npm is installed anew', async (context) => {
  const site = new ReleaseSite(context);
  const npm = isolate(context, site);
  const projects = [
    npmProject([greet()]),
    npmProject([greet('1.1.0')]),
    npmProject([greet()], { overrides: { other: '1.0.0' } }),
  ];
  for (const [index, project] of projects.entries()) {
    await installDependencies(await staged(site, `${index + 1}`, project), new Listener());
  }
  assert.equal(npm.count(), 3);
});

test('a release whose own scripts take part is installed by itself', async (context) => {
  const site = new ReleaseSite(context);
  const npm = isolate(context, site);
  const scripts = { postinstall: "node -e \"fs.writeFileSync('made', fs.readFileSync('server.js'))\"" };
  for (const id of ['1', '2']) {
    const job = await staged(site, id, npmProject([greet()], { scripts }));
    const { text } = await installDependencies(job, new Listener());
    assert.match(text!, /not kept for other releases: its package.json has a script "postinstall"/);
    assert.equal(readFileSync(join(job.folder!, 'made'), 'utf8'), SERVER.content);
  }
  assert.equal(npm.count(), 2);
});

test('an archive within the release is a dependency like any other', async (context) => {
  const site = new ReleaseSite(context);
  const npm = isolate(context, site);
  const { bytes, integrity } = packPackage('local', '1.0.0', { 'index.js': '' });
  const resolved = 'file:vendor/local-1.0.0.tgz';
  const project = npmProject([{ name: 'local', version: '1.0.0', resolved, integrity }]);
  for (const id of ['1', '2']) {
    const job = await staged(site, id, [...project, { name: 'vendor/local-1.0.0.tgz', content: bytes }]);
    await installDependencies(job, new Listener());
    assert.ok(existsSync(join(job.folder!, 'node_modules/local/index.js')));
  }
  assert.equal(npm.count(), 1);
});

test('dependencies without a lockfile are refused with what can be done', async (context) => {
  const site = new ReleaseSite(context);
  const [package_] = npmProject([greet()]);
  const error = await failure(await staged(site, '1', [package_!]));
  assert.equal(error.code, 'release-refused');
  assert.match(error.message, /^Cannot install ".+\/1-1\.0\.0": it depends on greet, and has no lockfile$/);
  assert.match(error.hint!, /^pack the lockfile with the build; or set install to none/);
  assert.equal(existsSync(join(site.folder, '1-1.0.0')), false, 'a half release stays nowhere');
});

test('nothing is installed where there is nothing to install, or nothing is wanted', async (context) => {
  const site = new ReleaseSite(context);
  const none = { install: { by: 'none', timeoutMs: 1000 } } as const;
  const texts = [];
  for (const [id, pieces, changes] of [
    ['1', [], {}],
    ['2', [{ name: 'package.json', content: '{"version":"1.0.0","devDependencies":{"tsc":"1"}}' }], {}],
    ['3', npmProject([greet()]), none],
  ] as const) {
    texts.push((await installDependencies(await staged(site, id, pieces, changes), new Listener())).text);
  }
  assert.deepEqual(texts, [
    'nothing to install: the release has no package.json',
    'nothing to install: its package.json names no dependencies',
    'nothing to install: the configuration wants nothing installed',
  ]);
});

test('two lockfiles are a question that packageManager or the configuration answers', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  const yarn = { name: 'yarn.lock', content: '# yarn lockfile v1\n' };
  const error = await failure(await staged(site, '1', [...npmProject([greet()]), yarn]));
  assert.match(error.message, /it has package-lock\.json and yarn\.lock$/);
  const job = await staged(site, '2', [...npmProject([greet()], { packageManager: 'npm@10.0.0' }), yarn]);
  await installDependencies(job, new Listener());
  assert.ok(existsSync(join(job.folder!, 'node_modules/greet')));
});

test('a package manager that is not there is named with its lockfile', async (context) => {
  const site = new ReleaseSite(context);
  const bin = join(site.work, 'only-node');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  const { PATH } = process.env;
  process.env.PATH = bin;
  context.after(() => (process.env.PATH = PATH));
  const [package_] = npmProject([greet()]);
  const error = await failure(await staged(site, '1', [package_!, { name: 'pnpm-lock.yaml', content: '' }]));
  assert.equal(error.message, `Cannot install release 1 by its pnpm-lock.yaml: pnpm is not in PATH (${bin})`);
  assert.equal(error.hint, 'install pnpm for the user of the daemon, or set install to a command');
});

test('an installation that fails tells the last lines and what to do, and no secret', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  process.env.DEPLOY_TOKEN = 'planted-secret-value';
  context.after(() => delete process.env.DEPLOY_TOKEN);
  const [, lock] = npmProject([greet()]);
  const [package_] = npmProject([greet('1.1.0')]);
  const stale = await failure(await staged(site, '1', [package_!, lock!]));
  const leaks = await failure(
    await staged(site, '2', [], {
      install: {
        by: 'command',
        argv: ['/bin/sh', '-c', 'echo planted-secret-value API_KEY=hunter22; exit 4'],
        timeoutMs: 5000,
      },
    }),
  );

  assert.equal(stale.code, 'install-failed');
  assert.match(
    stale.message,
    /^Cannot install release 1 with ".+\/npm ci --omit=dev .+": it exited with code 1$/,
  );
  assert.match(stale.hint!, /^install where it is built, and pack the lockfile that comes out/);
  const { lines, log } = leaks.details as { lines: string[]; log: string };
  assert.deepEqual(lines, ['*** API_KEY=[hidden]']);
  assert.doesNotMatch(readFileSync(log, 'utf8'), /planted-secret|hunter22/);
  assert.equal(lstatSync(log).mode & 0o777, 0o600);
});

test('a package that is not what the lockfile says is refused', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  const { integrity } = packPackage('greet', '1.0.0', { 'index.js': 'other()' });
  const settings = { name: '.npmrc', content: 'fetch-retry-mintimeout=10\nfetch-retry-maxtimeout=20\n' };
  const error = await failure(
    await staged(site, '1', [...npmProject([{ ...greet(), integrity }]), settings]),
  );
  assert.match(error.hint!, /^a package is not what the lockfile says/);
  assert.deepEqual(readdirSync(join(site.home, 'store/modules')), []);
});

test('what is built has its development dependencies, and the release has not', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  const tool = registry.publish('tool', '1.0.0', { 'index.js': 'fs.writeFileSync("dist.js", "built")' });
  const [, lock] = npmProject([greet()]);
  const parsed = JSON.parse(String(lock!.content)) as { packages: Record<string, object> };
  parsed.packages['node_modules/tool'] = {
    version: '1.0.0',
    resolved: tool.resolved,
    integrity: tool.integrity,
    dev: true,
  };
  const own = {
    name: 'web',
    version: '1.0.0',
    dependencies: { greet: '1.0.0' },
    devDependencies: { tool: '1.0.0' },
  };
  parsed.packages[''] = own;
  const pieces = [
    { name: 'package.json', content: JSON.stringify(own) },
    { name: 'package-lock.json', content: JSON.stringify(parsed) },
  ];
  const plain = await staged(site, '1', pieces);
  await installDependencies(plain, new Listener());
  const built = await staged(site, '2', pieces, {
    build: {
      run: [process.execPath, '-e', 'eval(fs.readFileSync("node_modules/tool/index.js", "utf8"))'],
      timeoutMs: 10_000,
    },
  });
  await installDependencies(built, new Listener());

  const modules = (job: StageJob) =>
    readdirSync(join(job.folder!, 'node_modules')).filter((name) => !name.startsWith('.'));
  assert.deepEqual([modules(plain), modules(built)], [['greet'], ['greet']]);
  assert.equal(readFileSync(join(built.folder!, 'dist.js'), 'utf8'), 'built');
});

test('an installer that takes too long is ended with all that it started', async (context) => {
  const site = new ReleaseSite(context);
  const command = ['/bin/sh', '-c', 'setsid sleep 1000 & trap "" TERM; echo begun; sleep 1000; wait'];
  const job = await staged(site, '1', [], { install: { by: 'command', argv: command, timeoutMs: 3000 } });
  const error = await failure(job);
  assert.match(error.message, /it was not done after 3 ?s, and was ended$/);
  assert.deepEqual((error.details as { lines: string[] }).lines, ['begun']);
  assert.deepEqual(findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${job.folder}`), []);
});

test('an installation that is given up leaves no process, and goes on where somebody asks again', async (context) => {
  const site = new ReleaseSite(context);
  const flag = join(site.work, 'go');
  const command = ['/bin/sh', '-c', `while ! [ -e ${flag} ]; do sleep 0.05; done; touch made`];
  const job = await staged(site, '1', [], { install: { by: 'command', argv: command, timeoutMs: 60_000 } });
  const listener = new Listener();
  const given = installDependencies(job, listener);
  const living = () => findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${job.folder}`).length;
  await until('it installs', () => living() > 0);
  listener.abort();
  await assert.rejects(given, { name: 'AbortError' });
  assert.equal(living(), 0);
  writeFileSync(flag, '');
  await installDependencies(job, new Listener());
  assert.ok(existsSync(join(job.folder!, 'made')));
});

test('ten that ask for one lockfile at once, in processes of their own, are one installation', async (context) => {
  const site = new ReleaseSite(context);
  const npm = isolate(context, site);
  registry.delayMs = 300;
  context.after(() => (registry.delayMs = 0));
  const project = npmProject([registry.publish('slow', '1.0.0', { 'index.js': '' })]);
  const jobs: StageJob[] = [];
  for (let id = 1; id <= 10; id++) {
    const folder = join(site.home, 'releases', `web-${id}`);
    mkdirSync(folder, { recursive: true });
    jobs.push(await staged(site, `${id}`, project, { folder }));
  }
  const before = registry.downloads;
  const ends = await Promise.all(
    jobs.map(async (job) => {
      const child = spawn(process.execPath, ['--import', 'tsx', WORKER, 'install'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      child.stdin.end(JSON.stringify(job));
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await once(child, 'close');
      return text;
    }),
  );
  assert.equal(ends.filter((text) => text.startsWith('installed with npm')).length, 1, ends.join(''));
  assert.equal(ends.filter((text) => text.startsWith('as installed before')).length, 9, ends.join(''));
  assert.deepEqual([npm.count(), registry.downloads - before], [1, 1]);
  const snapshots = new Set(jobs.map(({ folder }) => snapshot(join(folder!, 'node_modules')).join('\n')));
  assert.equal(snapshots.size, 1);
});

test('a worker that is killed while it installs leaves nothing that serves, and the next one takes it away', async (context) => {
  const site = new ReleaseSite(context);
  const npm = isolate(context, site);
  const serving = await staged(site, '1', npmProject([greet()]));
  await installDependencies(serving, new Listener());
  await makeCurrent(site.folder, serving.folder!);
  const before = snapshot(serving.folder!);
  registry.delayMs = 60_000;
  const project = npmProject([registry.publish('never', '1.0.0', { 'index.js': '' })]);
  const job = await staged(site, '2', project);
  const child = spawn(process.execPath, ['--import', 'tsx', WORKER, 'install'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  await until('npm downloads', () => registry.asked.some((path) => path.includes('/never-')));

  child.kill('SIGKILL');
  await once(child, 'close');

  assert.equal(readCurrent(site.folder), serving.folder);
  assert.deepEqual(snapshot(serving.folder!), before);
  const modules = join(site.home, 'store/modules');
  assert.equal(readdirSync(modules).filter((name) => !name.startsWith('.')).length, 1);
  const [making] = readdirSync(modules).filter((name) => name.startsWith('.making-'));
  const orphans = () => findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${join(modules, making!)}`).length;
  assert.ok(orphans() > 0, 'npm itself lives on');
  registry.delayMs = 0;
  await installDependencies(job, new Listener());
  assert.deepEqual([orphans(), npm.count()], [0, 3]);
  assert.deepEqual(
    readdirSync(modules).filter((name) => name.startsWith('.')),
    [],
  );
  assert.ok(existsSync(join(job.folder!, 'node_modules/never')));
});

test('an npm that is killed is told, and leaves neither a half release nor half of what is kept', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  registry.delayMs = 60_000;
  context.after(() => (registry.delayMs = 0));
  const job = await staged(site, '1', npmProject([registry.publish('killed', '1.0.0', { 'index.js': '' })]));
  const failed = failure(job);
  await until('npm downloads', () => registry.asked.some((path) => path.includes('/killed-')));
  const modules = join(site.home, 'store/modules');
  const [making] = readdirSync(modules);
  const [npm] = findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${join(modules, making!)}`); // not another test's
  process.kill(npm!.pid, 'SIGKILL');
  const error = await failed;
  assert.match(error.message, /: it was ended by SIGKILL$/);
  assert.deepEqual(readdirSync(modules), []);
  assert.equal(existsSync(job.folder!), false);
});

test('a release that was staged and never installed is swept, and one that serves never', async (context) => {
  const site = new ReleaseSite(context);
  const half = await staged(site, '1', []);
  for (const name of ['.staging-7', '.removing-3.1', '.3.extracting-Ab12']) {
    mkdirSync(join(site.folder, name, 'deep'), { recursive: true });
  }
  assert.deepEqual((await sweepStaging(site.folder)).toSorted(), [
    '.3.extracting-Ab12',
    '.removing-3.1',
    '.staging-7',
    '1',
  ]);
  assert.equal(existsSync(half.folder!), false);
  const serving = await staged(site, '2', []);
  await makeCurrent(site.folder, serving.folder!);
  assert.deepEqual(await sweepStaging(site.folder), []);
});

test('what nobody has used for a day goes, beyond the five that were used last', async (context) => {
  const site = new ReleaseSite(context);
  isolate(context, site);
  const modules = join(site.home, 'store/modules');
  const old = new Date(Date.now() - 2 * 24 * 60 * 60_000);
  for (let index = 0; index < 8; index++) {
    const key = `${index}`.repeat(32);
    mkdirSync(join(modules, key, 'node_modules'), { recursive: true });
    writeFileSync(join(modules, key, 'modules.json'), '{}');
    utimesSync(join(modules, key, 'modules.json'), old, new Date(old.getTime() + index * 1000));
  }
  await installDependencies(await staged(site, '1', npmProject([greet()])), new Listener());
  const kept = readdirSync(modules).filter((name) => /^(\d)\1{31}$/.test(name));
  assert.deepEqual(
    kept.map((name) => name[0]),
    ['4', '5', '6', '7'],
  );
});

test('hooks after the installation may still write into the release', async (context) => {
  const site = new ReleaseSite(context);
  const hook = { run: ['/bin/sh', '-c', 'echo assets > made'], timeoutMs: 10_000 };
  const job = await staged(site, '1', [], { hooks: { ...NO_HOOKS, afterInstall: [hook] } });
  await installDependencies(job, new Listener());
  assert.equal(readFileSync(join(job.folder!, 'made'), 'utf8'), 'assets\n');
});

test('a service that a hook after the stage has started goes on while it is installed', async (context) => {
  const site = new ReleaseSite(context);
  const hook = {
    run: [
      '/bin/sh',
      '-c',
      'setsid sh -c "touch up; exec sleep 1000" > /dev/null 2>&1 & until [ -e up ]; do :; done',
    ],
    timeoutMs: 60_000,
  };
  const job = await staged(site, '1', [], { hooks: { ...NO_HOOKS, afterStage: [hook] } });
  const [service] = findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${job.folder}`);
  context.after(() => process.kill(service!.pid, 'SIGKILL'));
  await installDependencies(job, new Listener());
  assert.equal(findByEnvironment(`UPKEEP_RELEASE_WORKS_IN=${job.folder}`).length, 1);
});

test('a native module for another Node, and one that was not built, are told', async (context) => {
  const site = new ReleaseSite(context);
  const job = await staged(
    site,
    '1',
    [
      { name: 'node_modules/odd/binding.gyp', content: '' },
      { name: 'node_modules/odd/build/Release/odd.node', content: 'no library' },
      { name: 'node_modules/@own/bare/binding.gyp', content: '' },
      { name: 'node_modules/many/binding.gyp', content: '' },
      { name: 'node_modules/many/prebuilds/linux-x64/node.napi.node', content: 'x' },
    ],
    { install: { by: 'none', timeoutMs: 1000 } },
  );
  const { checks } = await installDependencies(job, new Listener());
  const texts = checks!.map(({ verdict, text }) => `${verdict}: ${text}`).toSorted();
  assert.match(texts[0]!, /^warned: "node_modules\/@own\/bare" is a native module, and was not built$/);
  assert.match(
    texts[1]!,
    /^warned: "node_modules\/odd\/build\/Release\/odd\.node" does not load with .+ \(v[\d.]+, ABI \d+\): /,
  );
  assert.equal(texts.length, 2);
});

/**
 * Ten releases that ask for one lockfile at once, in processes of their own, are one installation, with npm, pnpm and Yarn.
 *
 * The package managers are real; the registry is one of this process, and counts. Besides: another release with the same lockfile
 * asks nobody; of two that were installed from one, neither changes with the other; an installer that is killed at a random
 * moment leaves `current` and everything that serves as it was. pnpm and Yarn come from the registry of npm, and are left out with a
 * word where that cannot be reached. A tree of many files shows what the copy costs.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { makeCurrent, readCurrent, sweepStaging } from '../../src/release/index.js';
import { copyTree } from '../../src/release/install/copy-tree.js';
import { installDependencies } from '../../src/release/install/install-dependencies.js';
import type { StageJob } from '../../src/release/job.js';
import { stageBuild } from '../../src/release/stage/stage-build.js';
import { NpmRegistry } from '../../test/rig/npm-registry.js';
import { countingProgram, Listener, npmProject, ReleaseSite } from '../../test/rig/release-job.js';
import { snapshot } from '../../test/rig/snapshot.js';
import type { TarPiece } from '../../test/rig/tar-bytes.js';

const run = promisify(execFile);
const WORKER = fileURLToPath(new URL('../../test/rig/stage-worker.ts', import.meta.url));
const NPM = join(dirname(process.execPath), 'npm');
const AT_ONCE = 10;
const PACKAGES = 12;

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const kills = Math.max(1, Math.round(10 * Number(values.scale)));
const copiedFiles = Math.round(20_000 * Number(values.scale));

const registry = await NpmRegistry.start();
const site = new ReleaseSite();
let count = 0;
try {
  process.env.HOME = site.work;
  writeFileSync(join(site.work, '.npmrc'), `registry=${registry.url}\n`);
  const packages = Array.from({ length: PACKAGES }, (_, index) =>
    registry.publish(`part-${index}`, '1.0.0', {
      'index.js': `module.exports = ${index}`,
      'lib/more.js': '',
    }),
  );
  await show('npm', NPM, 'ci', npmProject(packages));
  for (const [name, lockfile, makeLock] of [
    ['pnpm', 'pnpm-lock.yaml', ['install', '--lockfile-only']],
    ['yarn', 'yarn.lock', ['install', '--ignore-scripts', '--non-interactive', '--registry', registry.url]],
  ] as const) {
    const program = await fetchManager(name);
    if (program === undefined)
      console.log(`${name}: untested, because it could not be had from the registry of npm`);
    else
      await show(
        name,
        program,
        'install',
        await lockedProject(program, lockfile, makeLock, npmProject(packages)[0]!),
      );
  }
  await showKills(npmProject(packages));
  showCopy();
} finally {
  site.remove();
  await registry.stop();
}

async function show(name: string, program: string, word: string, pieces: readonly TarPiece[]): Promise<void> {
  const counting = countingProgram(join(site.work, `bin-${name}`), program, word);
  process.env.PATH = `${counting.path}:${process.env.PATH}`;
  const jobs: StageJob[] = [];
  for (let each = 0; each < AT_ONCE; each++) jobs.push(await stage(`${name}-${each}`, pieces));
  const before = registry.downloads;
  const startedAt = performance.now();
  const ends = await Promise.all(jobs.map((job) => installApart(job).done));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const installed = ends.filter((text) => text.startsWith('installed')).length;
  const copied = ends.filter((text) => text.startsWith('as installed before')).length;
  const trees = new Set(jobs.map(({ folder }) => snapshot(join(folder!, 'node_modules')).join('\n')));
  console.log(
    `${name}: ${AT_ONCE} asked at once: ${counting.count()} installation, ${registry.downloads - before} of ${PACKAGES} packages ` +
      `downloaded, ${copied} copied, ${trees.size} kind of node_modules, ${seconds} s`,
  );
  assert.deepEqual([installed, copied, counting.count(), trees.size], [1, AT_ONCE - 1, 1, 1], ends.join(''));
  await showIndependence(name, jobs, pieces, counting.count);
}

async function showIndependence(
  name: string,
  [first]: readonly StageJob[],
  pieces: readonly TarPiece[],
  installs: () => number,
): Promise<void> {
  const script = 'for (let i = 0; i < 12; i++) if (require(`part-${i}`) !== i) process.exit(1);';
  await run(process.execPath, ['-e', script], { cwd: first!.folder! });
  const before = snapshot(first!.folder!);
  const [asked, counted] = [registry.asked.length, installs()];
  const later = await stage(`${name}-later`, pieces);
  const startedAt = performance.now();
  await installDependencies(later, new Listener());
  const ms = Math.round(performance.now() - startedAt);
  assert.deepEqual([registry.asked.length - asked, installs() - counted], [0, 0]);
  assert.deepEqual(snapshot(first!.folder!), before);
  console.log(
    `${name}: a later release of the same lockfile: 0 installations, 0 requests, ${ms} ms; the first did not change`,
  );
}

async function showKills(pieces: readonly TarPiece[]): Promise<void> {
  const serving = await stage('serving', pieces);
  await installDependencies(serving, new Listener());
  await makeCurrent(serving.spec.folder, serving.folder!);
  const before = snapshot(serving.folder!);
  let unfinished = 0;
  for (let round = 0; round < kills; round++) {
    const fresh = registry.publish('fresh', `1.0.${round}`, { 'index.js': '' });
    const job = await stage(`killed-${round}`, npmProject([fresh]), serving.spec.folder);
    const { child, done } = installApart(job);
    await delay(300 + (round * 2500) / kills);
    child.kill('SIGKILL');
    await done.catch(() => undefined);
    assert.equal(readCurrent(serving.spec.folder), serving.folder);
    assert.deepEqual(snapshot(serving.folder!), before);
    const swept = await sweepStaging(serving.spec.folder);
    if (swept.length > 0) unfinished++;
    assert.equal(existsSync(job.folder!), swept.length === 0, 'half releases go, whole ones stay');
  }
  await installDependencies(
    await stage('after', npmProject([registry.publish('fresh', '2.0.0', { 'index.js': '' })])),
    new Listener(),
  );
  const left = readdirSync(join(site.home, 'store/modules')).filter((name) => name.startsWith('.'));
  assert.deepEqual(left, []);
  console.log(
    `killed ${kills} times while it installed, ${unfinished} times half way: current and its ${before.length} files as before, nothing half left`,
  );
}

function showCopy(): void {
  const source = join(site.work, 'many');
  for (let index = 0; index < copiedFiles; index++) {
    const folder = join(source, `${index % 500}`);
    if (index < 500) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}.js`), 'x'.repeat(4000));
  }
  const startedAt = performance.now();
  const { files } = copyTree(source, join(site.work, 'copied'), new AbortController().signal);
  console.log(`a copy of ${files} files of 4 KB: ${((performance.now() - startedAt) / 1000).toFixed(2)} s`);
}

async function stage(
  name: string,
  pieces: readonly TarPiece[],
  folder = join(site.home, 'releases', name),
): Promise<StageJob> {
  mkdirSync(folder, { recursive: true });
  const job = site.job(`${++count}`, site.store({ name: 'server.js', content: '' }, ...pieces), { folder });
  const result = await stageBuild(job, new Listener());
  return { ...job, folder: result.folder!, build: result.build! };
}

function installApart(job: StageJob) {
  const child = spawn(process.execPath, ['--import', 'tsx', WORKER, 'install'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, done: once(child, 'close').then(() => text) };
}

/** From the real registry; undefined where that cannot be reached. */
async function fetchManager(name: 'pnpm' | 'yarn'): Promise<string | undefined> {
  const folder = join(site.work, `manager-${name}`);
  mkdirSync(folder);
  const wanted = name === 'pnpm' ? 'pnpm@10' : 'yarn@1';
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--registry',
    'https://registry.npmjs.org/',
    wanted,
  ];
  try {
    await run(NPM, args, { cwd: folder, timeout: 120_000 });
    return join(folder, 'node_modules/.bin', name);
  } catch {
    return undefined; // no network
  }
}

async function lockedProject(
  program: string,
  lockfile: string,
  args: readonly string[],
  package_: TarPiece,
): Promise<TarPiece[]> {
  const folder = join(site.work, `lock-${lockfile}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), package_.content!);
  await run(program, [...args], { cwd: folder });
  return [package_, { name: lockfile, content: readFileSync(join(folder, lockfile)) }];
}

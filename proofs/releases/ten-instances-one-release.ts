/**
 * A service of ten instances updates itself: the command arrives at all of them at once, each asks upkeep for the release, and one release
 * is made, with one installation. Whoever asked is replaced by it; the instance in its place reads what came out. All run from one folder,
 * and no file changes under those that run.
 */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, makeBuild, SDK, Shop, until } from '../../test/rig/index.js';
import { RateLoad } from './support/rate-load.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const ROUNDS = Math.max(2, Math.round(50 * Number(values.scale)));
const INSTANCES = 10;
const KEEP = 2;
/** Rounds after which the daemon has what it needs. */
const WARM_UP = 10;
const PER_SECOND = 200;

/** What an instance wrote down. */
interface Told {
  readonly version: string;
  readonly instance: string;
  readonly asked?: string;
  readonly read?: string;
  readonly status?: string;
  readonly released?: string;
  readonly refused?: string;
}

const port = await freePort();
const folder = join((await import('node:os')).tmpdir(), `upkeep-ten-${process.pid}`);
mkdirSync(folder);
const installs = join(folder, 'installs');
await using shop = await Shop.create({
  port,
  instances: INSTANCES,
  service: {
    script: 'updates-itself.mjs',
    env: { PORT: port, UPKEEP_SDK: SDK, FOLDER: folder },
    ready: 'port',
  },
  verify: { canary: false, stable: 0, for: 0, bake: 0, newErrors: 'ignore', smoke: '/' },
  group: {
    keep: KEEP,
    install: ['/bin/sh', '-c', `printf x >> ${installs}`],
  },
});

const archives = Array.from({ length: ROUNDS + 1 }, (_, round) => {
  const program = readFileSync(join(import.meta.dirname, 'support/updates-itself.mjs'), 'utf8');
  return makeBuild(shop.builds, `1.${round}.0`, 'good', { 'updates-itself.mjs': program });
});
assert.equal((await shop.release(archives[0]!)).status, 'succeeded');
await using load = await RateLoad.start({ port, perSecond: PER_SECOND });
await load.untilAnswered(PER_SECOND);
load.mark();

let wrong = 0;
let [rssBefore, journalBytes] = [0, 0];
const tookMs: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const build = archives[round]!;
  const [releasesBefore, installsBefore, toldBefore] = [
    await countReleases(),
    countInstalls(),
    told().length,
  ];
  const [from] = await places();
  const filesBefore = filesOf(from!);
  const startedAt = performance.now();
  const sockets = readdirSync(folder).filter((name) => name.endsWith('.sock'));
  assert.equal(sockets.length, INSTANCES);
  await Promise.all(sockets.map((name) => command(join(folder, name), `update ${build.archive}`)));
  const seen = await until(
    'every new instance has read what came out',
    () => {
      const news = told().slice(toldBefore);
      const read = news.filter(({ read: id, released }) => id !== undefined && released === build.version);
      return read.length >= INSTANCES ? news : undefined;
    },
    120_000,
  );
  tookMs.push(performance.now() - startedAt);
  const { instances } = await shop.rig.service('shop');
  const facts = {
    'one release': (await countReleases()) === releasesBefore + 1,
    'one installation': countInstalls() === installsBefore + 1,
    'nobody refused': seen.every(({ refused }) => refused === undefined),
    'read by all':
      new Set(seen.filter(({ read }) => read).map(({ instance }) => instance)).size === INSTANCES,
    succeeded: seen.every(({ read, status }) => read === undefined || status === 'succeeded'),
    'all run': instances.length === INSTANCES && instances.every(({ status }) => status === 'running'),
    'one folder': (await places()).length === 1,
    'no file changed under those that ran': filesOf(from!) === filesBefore,
    'old ones gone': kept().folders <= KEEP + 1,
  };
  const bad = Object.entries(facts).flatMap(([name, holds]) => (holds ? [] : [name]));
  if (bad.length > 0) {
    wrong++;
    console.log(`round ${round}: not ${bad.join(', ')}`);
  }
  if (round <= WARM_UP) rssBefore = await daemonRss();
  journalBytes = Math.max(journalBytes, statSync(join(shop.rig.home.path, 'releases.jsonl')).size);
}
await load.untilAnswered(PER_SECOND);
const { asked, failed, byVersion, failures } = load.sinceMark();
console.log(`${ROUNDS} rounds of ${INSTANCES} instances that asked at once: ${wrong} not as they should be`);
console.log(
  `${Object.keys(byVersion).length} versions answered, the last is ${Object.keys(byVersion).at(-1)}`,
);
console.log(
  `${asked} requests, ${failed} failed${failures.length > 0 ? `: ${failures.slice(0, 5).join('; ')}` : ''}`,
);
console.log(
  `a round took ${(median(tookMs) / 1000).toFixed(1)} s (median), the last five ${(median(tookMs.slice(-5)) / 1000).toFixed(1)} s`,
);
const { folders, builds } = kept();
console.log(
  `left are ${folders} folders of releases, and of builds, which stay for an hour, ${builds}; the journal had ${mib(journalBytes)} at most; the daemon had ${mib(rssBefore)} after ${Math.min(WARM_UP, ROUNDS)} rounds, and ${mib(await daemonRss())} at the end`,
);
process.exitCode = wrong === 0 && failed === 0 ? 0 : 1;

function told(): Told[] {
  const path = join(folder, 'told.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Told);
}

/** What is there of releases. */
function kept(): { folders: number; builds: number } {
  const { path } = shop.rig.home;
  const folders = readdirSync(join(path, 'releases/shop')).filter((name) => /^\d/.test(name));
  const builds = readdirSync(join(path, 'store/sha256'), { recursive: true }).filter((name) =>
    /[0-9a-f]{64}$/.test(String(name)),
  );
  return { folders: folders.length, builds: builds.length };
}

/** Folders that instances run from. */
async function places(): Promise<string[]> {
  const { instances } = await shop.rig.service('shop');
  return [...new Set(instances.map(({ pid }) => readlinkSync(`/proc/${pid}/cwd`)))];
}

/** Every file with its number, size and times: what changes any of them changes one of these. */
function filesOf(place: string): string {
  const paths = readdirSync(place, { recursive: true, encoding: 'utf8' }).sort();
  const lines = paths.map((path) => {
    const { ino, size, mtimeMs } = lstatSync(join(place, path));
    return `${path} ${ino} ${size} ${mtimeMs}`;
  });
  return lines.join('\n');
}

async function daemonRss(): Promise<number> {
  const { pid } = await shop.rig.client.call('daemon');
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function countInstalls(): number {
  return existsSync(installs) ? statSync(installs).size : 0;
}

/** They are numbered from 1. */
async function countReleases(): Promise<number> {
  const [group] = await shop.rig.client.call('releases', { query: { limit: '1' } });
  return Number(group!.releases[0]!.id);
}

function command(socket: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = connect(socket, () => client.write(`${text}\n`));
    client.once('data', () => resolve(client.destroy() as unknown as void));
    client.once('error', reject);
  });
}

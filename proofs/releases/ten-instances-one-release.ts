/**
 * A service of ten instances updates itself: the command arrives at all of them at once, each asks upkeep for the release, and one release
 * is made, with one installation. Whoever asked is replaced by it; the instance in its place reads what came out.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, makeBuild, SDK, Shop, until } from '../../test/rig/index.js';
import { RateLoad } from './support/rate-load.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const ROUNDS = Math.max(2, Math.round(50 * Number(values.scale)));
const INSTANCES = 10;
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
    keep: 2,
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
const tookMs: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const build = archives[round]!;
  const [releasesBefore, installsBefore, toldBefore] = [
    await countReleases(),
    countInstalls(),
    told().length,
  ];
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
  };
  const bad = Object.entries(facts).flatMap(([name, holds]) => (holds ? [] : [name]));
  if (bad.length > 0) {
    wrong++;
    console.log(`round ${round}: not ${bad.join(', ')}`);
  }
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
  `a round took ${(tookMs.toSorted((a, b) => a - b)[tookMs.length >> 1]! / 1000).toFixed(1)} s (median)`,
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

function countInstalls(): number {
  return existsSync(installs) ? statSync(installs).size : 0;
}

async function countReleases(): Promise<number> {
  return (await shop.rig.client.call('releases'))[0]!.releases.length;
}

function command(socket: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = connect(socket, () => client.write(`${text}\n`));
    client.once('data', () => resolve(client.destroy() as unknown as void));
    client.once('error', reject);
  });
}

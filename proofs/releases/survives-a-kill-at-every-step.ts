/**
 * The daemon is killed by SIGKILL, and its guardian with it, at every stage of a release, of one that fails, of one that is rolled back, and
 * at moments by chance; and all that was not on disk is lost, as when the power goes. Whoever comes next brings the release to a whole end: one version
 * serves with all its instances, no process is left over, no lock is held, and nobody was refused.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RELEASE_STAGES, type ReleaseView } from '../../src/protocol/index.js';
import { findByEnvironment } from '../../src/system/index.js';
import { type Build, freePort, type Kind, makeBuild, Shop } from '../../test/rig/index.js';
import { RateLoad } from './support/rate-load.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const scale = Number(values.scale);
const INSTANCES = scale < 0.2 ? 1 : 2;
const RANDOM_KILLS = Math.round(30 * scale);
const LONGEST_MS = 6000;

await using shop = await Shop.create({
  port: await freePort(),
  otherPort: await freePort(),
  instances: INSTANCES,
  env: { EXITS_AFTER_MS: '2500' },
  verify: {
    stable: '300ms',
    canary: { instances: 1, for: '500ms' },
    for: '1s',
    bake: '3s',
    smoke: '/checkout',
    newErrors: 'ignore',
  },
});
let number = 0;
let [tried, wrong] = [0, 0];
const build = (kind: Kind): Build => makeBuild(shop.builds, `1.${number++}.0`, kind);
const first = build('good');
assert.equal((await shop.release(first)).status, 'succeeded');
let serving = first;
await using load = await RateLoad.start({ port: shop.port, perSecond: 100 });
await load.untilAnswered(100);

for (const kind of ['good', 'smoke-red', 'exits-later'] as const) {
  for (const stage of RELEASE_STAGES) await tryOut(kind, `at ${stage}`, (view) => view.stage === stage);
  if (kind !== 'good') await tryOut(kind, 'while it is put back', (view) => view.status === 'reverting');
}
let seed = Number(values.seed);
for (let count = 0; count < RANDOM_KILLS; count++) {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  const afterMs = (seed / 2 ** 32) * LONGEST_MS;
  const kind = (['good', 'exits-later', 'fails-often'] as const)[count % 3]!;
  await tryOut(kind, `after ${afterMs.toFixed(0)} ms`, afterMs);
}
await load.untilAnswered(100);
const { asked, failed, refused, failures } = load.total;
console.log(`${tried} kills, ${wrong} with an end that is not whole`);
console.log(
  `${asked} requests, ${refused} refused, ${failed} failed: ${failures.slice(0, 8).join('; ') || 'none'}`,
);
process.exitCode = wrong === 0 && refused === 0 ? 0 : 1;

async function tryOut(
  kind: Kind,
  where: string,
  when: number | ((view: ReleaseView) => boolean),
): Promise<void> {
  const made = build(kind);
  const id = await killDuring(made, when);
  if (id === undefined) return console.log(`${kind}, ${where}: it never came there`);
  tried++;
  const view = await shop.rig.until('the release has ended', async () => {
    const seen = await shop.rig.client.call('release', { params: { id } }).catch(() => undefined);
    return seen?.finishedAt ? seen : undefined;
  });
  if (view.status === 'succeeded') serving = made;
  const facts = await look(view, kind);
  const bad = Object.entries(facts).flatMap(([name, holds]) => (holds ? [] : [name]));
  if (bad.length > 0) wrong++;
  console.log(
    `${kind}, ${where}: ${view.status}${bad.length > 0 ? ` WRONG: not ${bad.join(', ')}: ${JSON.stringify(view.failure)}` : ''}`,
  );
}

/** Answers its number; undefined: it had ended before. */
async function killDuring(
  made: Build,
  when: number | ((view: ReleaseView) => boolean),
): Promise<string | undefined> {
  const body = await shop.request(made);
  const startedAt = performance.now();
  let id: string | undefined;
  try {
    for await (const view of shop.rig.client.stream('requestRelease', { body })) {
      id = view.id;
      if (view.finishedAt !== null) return undefined;
      if (typeof when === 'number') {
        await delay(Math.max(0, when - (performance.now() - startedAt)));
        break;
      }
      if (when(view)) break;
    }
  } catch {
    return undefined; // it ended while it was asked
  }
  await shop.rig.killDaemon();
  await shop.rig.startDaemon();
  return id;
}

async function look(view: ReleaseView, kind: Kind): Promise<Record<string, boolean>> {
  const { instances } = await shop.rig.service('shop');
  const ofHome = findByEnvironment(`UPKEEP_HOME=${shop.rig.home.path}`).map(({ pid }) => pid);
  const living = findByEnvironment('UPKEEP_SERVICE=shop').filter(({ pid }) => ofHome.includes(pid)).length;
  load.mark();
  await load.untilAnswered(30);
  const versions = Object.keys(load.sinceMark().byVersion);
  return {
    'an end that fits':
      kind === 'good' ? view.status === 'succeeded' || view.status === 'failed' : view.status !== 'succeeded',
    'all instances':
      instances.length === INSTANCES &&
      instances.every(({ status, role }) => status === 'running' && role === 'serving'),
    'one version': versions.length === 1 && versions[0] === serving.version,
    'no process left over': living <= INSTANCES * 2,
    'no lock': !existsSync(join(shop.rig.home.path, 'releases', 'shop', '.lock')),
  };
}

/**
 * The daemon is killed by SIGKILL, and its guardian with it, at every stage of a release, of one that fails, of one that is sent back, and
 * at moments by chance. The next daemon brings the release to a whole end: one version serves with all its instances, no process is left
 * over, no lock is held, and nobody was refused.
 */
import assert from 'node:assert/strict';
import { RELEASE_STAGES, type ReleaseView } from '../../src/protocol/index.js';
import {
  AT_ITS_END,
  afterAccepted,
  atStage,
  followTo,
  freePort,
  makeBuild,
  Shop,
  whatIsNotWhole,
  WHILE_PUT_BACK,
  type Build,
  type Kind,
  type Moment,
} from '../../test/rig/index.js';
import { befallenOptions, END_MS, endOf, EXITS_AFTER_MS, LONGEST_MS, requestOf } from './support/befallen.js';
import { RateLoad } from './support/rate-load.js';

const { scale, random, isWanted } = befallenOptions();
const INSTANCES = scale < 0.2 ? 1 : 2;
const RANDOM_KILLS = Math.round(30 * scale);

await using shop = await Shop.create({
  port: await freePort(),
  otherPort: await freePort(),
  instances: INSTANCES,
  env: { EXITS_AFTER_MS: String(EXITS_AFTER_MS) },
  verify: {
    stable: '300ms',
    canary: { instances: 1, for: '500ms' },
    for: '1s',
    bake: '1s',
    smoke: '/checkout',
    newErrors: 'ignore',
  },
});
const { rig } = shop;
let number = 0;
let [tried, wrong] = [0, 0];
const build = (kind: Kind): Build => makeBuild(shop.builds, `1.${number++}.0`, kind);
const first = build('good');
assert.equal((await shop.release(first)).status, 'succeeded');
let serving = first;
await using load = await RateLoad.start({ port: shop.port, perSecond: 100 });
await load.untilAnswered(100);

const startedAt = performance.now();
const kinds = (['good', 'smoke-red', 'exits-later'] as const).filter(isWanted);
for (const kind of kinds) {
  for (const stage of RELEASE_STAGES) await tryOut(kind, atStage(stage));
  if (kind !== 'good') await tryOut(kind, WHILE_PUT_BACK);
  await tryOut(kind, AT_ITS_END);
}
for (let count = 0; count < RANDOM_KILLS; count++)
  await tryOut(
    (['good', 'exits-later', 'fails-often'] as const)[count % 3]!,
    afterAccepted(random() * LONGEST_MS),
  );
await load.untilAnswered(100);
const { asked, failed, refused, failures } = load.total;
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(`${tried} kills, ${wrong} with an end that is not whole; ${seconds} s`);
console.log(
  `${asked} requests, ${refused} refused, ${failed} failed: ${failures.slice(0, 8).join('; ') || 'none'}`,
);
process.exitCode = wrong === 0 && refused === 0 ? 0 : 1;

async function tryOut(kind: Kind, moment: Moment): Promise<void> {
  const made = build(kind);
  const { id, hasCome, view: before } = await followTo(rig, await requestOf(shop, made), moment);
  if (hasCome) {
    await rig.killDaemon();
    await rig.startDaemon();
    tried++;
  }
  const view = await rig.until('the release has ended', () => endOf(shop, id), END_MS);
  if (view.status === 'succeeded') serving = made;
  const bad = await judge(view, kind);
  if (before.finishedAt !== null && before.status !== view.status)
    bad.push(`it was told to have ${before.status}`);
  if (!hasCome && kind === 'good') bad.push('it never came there');
  if (bad.length > 0) wrong++;
  const words = bad.length > 0 ? ` WRONG: ${bad.join('; ')}: ${JSON.stringify(view.failure)}` : '';
  console.log(`${kind}, ${moment.words}: ${hasCome ? '' : 'it never came there, '}${view.status}${words}`);
}

async function judge({ status }: ReleaseView, kind: Kind): Promise<string[]> {
  const fits = kind === 'good' ? status === 'succeeded' : status !== 'succeeded';
  load.mark();
  await load.untilAnswered(30);
  const versions = Object.keys(load.sinceMark().byVersion);
  return [
    ...(fits ? [] : [`it has ${status}`]),
    ...(versions.join() === serving.version ? [] : [`${versions.join(' and ')} answers the load`]),
    ...(await whatIsNotWhole(shop, serving, INSTANCES)),
  ];
}

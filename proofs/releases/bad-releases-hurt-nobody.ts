/**
 * A bad release never hurts the good one: whatever is wrong with it, the good one serves throughout, the release ends as a failure with the
 * true reason, and at most the share of traffic that the new instances were given meets what is wrong.
 *
 * One and four instances under a fixed load. Each bad build is released from a file; then a good one, to show that the way is open.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import type { ReleaseView } from '../../src/protocol/index.js';
import { freePort, type Kind, makeBuild, Shop } from '../../test/rig/index.js';
import { RateLoad, type RateReport } from './support/rate-load.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string' } },
});
const scale = Number(values.scale);
const PER_SECOND = scale < 1 ? 100 : 500;
const EXITS_AFTER_MS = scale < 1 ? 3000 : 20_000;
const VERIFY_MS = EXITS_AFTER_MS + 3000;
/** Of the new ones, while they and as many old ones take traffic, with what chance adds to it. */
const NEW_SHARE = 0.75;

interface Case {
  readonly kind: Kind;
  /** What the report has to say. */
  readonly says: RegExp;
  /** Of the requests that new instances got, how many may fail: what is wrong with it. */
  readonly mayFail: number;
  readonly ends: 'before' | 'after';
}

const CASES: readonly Case[] = [
  { kind: 'hangs-at-boot', says: /not ready within/, mayFail: 0, ends: 'before' },
  { kind: 'exits-at-boot', says: /exit(?:ed with)? code 3|code 3/, mayFail: 0, ends: 'before' },
  { kind: 'wrong-port', says: /port|not ready/, mayFail: 0, ends: 'before' },
  { kind: 'smoke-red', says: /\/checkout|status 500|500/, mayFail: 0, ends: 'before' },
  { kind: 'missing-configuration', says: /DATABASE_URL|models/, mayFail: 0, ends: 'before' },
  { kind: 'missing-module', says: /bcrypt/, mayFail: 0, ends: 'before' },
  { kind: 'syntax-error', says: /syntax|Unexpected token/i, mayFail: 0, ends: 'before' },
  { kind: 'exits-later', says: /code 4/, mayFail: 0.05, ends: 'after' },
  { kind: 'fails-sometimes', says: /failed|5xx|error/i, mayFail: 0.01, ends: 'after' },
  { kind: 'fails-often', says: /failed|5xx|error/i, mayFail: 0.3, ends: 'after' },
  { kind: 'leaks', says: /memory/i, mayFail: 0.05, ends: 'after' },
  { kind: 'slow', says: /latency|slower/i, mayFail: 0, ends: 'after' },
  { kind: 'new-exception', says: /RangeError|voucher/, mayFail: 0, ends: 'after' },
];

// One failure in a hundred needs more requests than a short form has.
const tried = scale < 1 ? CASES.filter(({ kind }) => kind !== 'fails-sometimes') : CASES;
const wanted = tried.filter(({ kind }) => values.only === undefined || values.only.split(',').includes(kind));
let wrong = 0;
for (const instances of scale < 1 ? [1] : [1, 4]) {
  await using shop = await Shop.create({
    port: await freePort(),
    otherPort: await freePort(),
    instances,
    env: { EXITS_AFTER_MS: String(EXITS_AFTER_MS) },
    verify: { canary: false, stable: '500ms', for: VERIFY_MS, bake: 0, smoke: '/checkout', minRequests: 200 },
  });
  const good = makeBuild(shop.builds, '1.0.0');
  assert.equal((await shop.release(good)).status, 'succeeded');
  await using load = await RateLoad.start({ port: shop.port, perSecond: PER_SECOND });
  await load.untilAnswered(PER_SECOND);
  for (const [index, each] of wanted.entries()) {
    const build = makeBuild(shop.builds, `1.1.${index}`, each.kind);
    load.mark();
    const startedAt = performance.now();
    const view = await shop.release(build);
    const tookMs = performance.now() - startedAt;
    await load.untilAnswered(PER_SECOND);
    if (!judge(each, view, load.sinceMark(), instances, tookMs)) wrong++;
  }
  load.mark();
  const again = await shop.release(makeBuild(shop.builds, '1.2.0'));
  await load.untilAnswered(PER_SECOND);
  const { failed, byVersion } = load.sinceMark();
  console.log(
    `${instances} × good at the end: ${again.status}, ${failed} failed, now ${Object.keys(byVersion).at(-1)}`,
  );
  if (again.status !== 'succeeded' || failed > 0) wrong++;
}
console.log(`${wrong} of the releases did not go as they should`);
process.exitCode = wrong === 0 ? 0 : 1;

function judge(
  { kind, says, mayFail, ends }: Case,
  view: ReleaseView,
  seen: RateReport,
  instances: number,
  tookMs: number,
): boolean {
  const text = JSON.stringify([view.failure, view.checks]);
  const ofNew = seen.answered - (seen.byVersion['1.0.0'] ?? 0);
  const allowed = mayFail === 0 ? 0 : Math.ceil(seen.asked * NEW_SHARE * mayFail);
  const facts = {
    status: view.status === 'failed' || view.status === 'rolled-back',
    reason: says.test(text),
    failed: seen.failed <= allowed && seen.refused === 0,
    share: ends === 'before' ? ofNew === 0 : true,
  };
  const isRight = Object.values(facts).every(Boolean);
  const bad = Object.entries(facts).flatMap(([name, holds]) => (holds ? [] : [name]));
  console.log(
    `${instances} × ${kind.padEnd(22)} ${view.status.padEnd(11)} ${(tookMs / 1000).toFixed(1).padStart(5)} s  ${seen.asked} asked, ${seen.failed} failed (at most ${allowed}), ${ofNew} by the new one  ${isRight ? '' : `WRONG: ${bad.join(', ')}`}`,
  );
  console.log(`    ${view.failure?.message ?? 'no reason'}`);
  return isRight;
}

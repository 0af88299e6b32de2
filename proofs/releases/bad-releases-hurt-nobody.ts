/**
 * A bad release never hurts the good one: whatever is wrong with it, the good one serves throughout, the release ends as a failure whose
 * report says the true reason and nothing else, and what is wrong meets at most the share of requests that the new instances were given,
 * until it is found. What is found later is gone back from, without where the builds came from.
 *
 * One and four instances under a fixed load. Each bad build is released from a file; then a good one, to show that the way is open.
 */
import assert from 'node:assert/strict';
import { readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ReleaseView } from '../../src/protocol/index.js';
import { type Build, freePort, makeBuild, Shop } from '../../test/rig/index.js';
import { BESIDE, type Case, LATE } from './bad-releases-hurt-nobody/cases.js';
import { Course } from './bad-releases-hurt-nobody/course.js';
import { ProcessorShare } from './support/processor-share.js';
import { RateLoad } from './support/rate-load.js';

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    /** Kinds, with commas. */
    only: { type: 'string' },
    /** How many, with commas. */
    instances: { type: 'string' },
  },
});
const isShort = Number(values.scale) < 1;
const PER_SECOND = isShort ? 100 : 500;
/** From their start: while both serve, and in the other shop after the switch. */
const EXITS_AFTER_MS = isShort ? 3000 : 20_000;
const FAULTY_AFTER_MS = isShort ? 4000 : 10_000;
const EXCEPTION_EVERY = isShort ? 40 : 1000;
const WATCH_MS = EXITS_AFTER_MS + 4000;
const LATE_VERIFY_MS = isShort ? 1000 : 3000;
/** What is found there, is found in this time. */
const LATE_WATCH_MS = 15_000;
/** What a release that is found bad may still answer, or break. */
const RESTORED_MS = 2000;
const LONGEST_GAP_MS = 1000;
const SHOWN_FAILURES = 8;
/** Who is given a connection is not chosen by lot: the kernel wakes who is idle. */
const SHARE_TOLERANCE = 1.5;
/** Of each new instance, by upkeep: they count where one of so many requests fails. */
const PROBES = 20;
/** Kept open by those who ask, and what is asked at this moment on others. */
const CONNECTIONS = 60;

let wrong = 0;
const numbers = values.instances?.split(',').map(Number) ?? (isShort ? [1] : [1, 4]);
for (const instances of numbers) {
  // One of one is all of them.
  const canary = instances > 1 ? { instances: 1, for: WATCH_MS } : false;
  const beside = { canary, for: WATCH_MS, bake: 0 };
  await tryOut(BESIDE, instances, beside, { EXITS_AFTER_MS, EXCEPTION_EVERY });
  const late = { canary: false, for: LATE_VERIFY_MS, bake: FAULTY_AFTER_MS + LATE_WATCH_MS };
  await tryOut(LATE, instances, late, { EXITS_AFTER_MS, EXCEPTION_EVERY, FAULTY_AFTER_MS });
}
console.log(`${wrong} of the releases did not go as they should`);
process.exitCode = wrong === 0 ? 0 : 1;

async function tryOut(
  cases: readonly Case[],
  instances: number,
  verify: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, number>>,
): Promise<void> {
  const wanted = cases.filter(isWanted);
  if (wanted.length === 0) return;
  await using shop = await Shop.create({
    port: await freePort(),
    otherPort: await freePort(),
    instances,
    readyWithin: '5s',
    env: mapToStrings(env),
    verify: { stable: '500ms', smoke: '/checkout', minRequests: isShort ? 50 : 200, ...verify },
    group: { contract: { env: ['.env.example'] } },
  });
  const good = make(shop, '1.0.0');
  assert.equal((await release(shop, good)).status, 'succeeded');
  await using load = await RateLoad.start({ port: shop.port, perSecond: PER_SECOND, isDetailed: true });
  await load.untilAnswered(PER_SECOND);
  const { pid } = await shop.rig.client.call('daemon');
  const share = new ProcessorShare({ daemon: pid, load: load.pid });
  for (const [index, each] of wanted.entries()) {
    const build = make(shop, `1.1.${index}`, each);
    const before = await whatServes(shop);
    load.mark();
    const view = await release(shop, build);
    await load.untilAnswered(PER_SECOND);
    const after = await whatServes(shop);
    const isSame =
      each.ends === 'after the switch' ? before.folder === after.folder : before.text === after.text;
    if (!(await judge(each, { shop, view, load, instances, good, build, isSame }))) wrong++;
  }
  load.mark();
  const next = await release(shop, make(shop, '1.2.0'));
  await load.untilAnswered(PER_SECOND);
  const { byVersion } = load.sinceMark();
  const course = new Course({
    view: next,
    answers: load.answers,
    good: '1.2.0',
    bad: good.version,
    hasCanary: false,
  });
  const isOpen =
    next.status === 'succeeded' && course.failed.length === 0 && Object.keys(byVersion).at(-1) === '1.2.0';
  if (!isOpen) wrong++;
  console.log(
    `${instances} × a good one at the end: ${next.status}, ${course.failed.length} failed${isOpen ? '' : `  WRONG: ${next.failure?.message ?? ''}`}`,
  );
  tellFailures(course, next);
  console.log(`processors: ${String(share)}`);
}

function isWanted({ kind }: Case): boolean {
  // One failure in a hundred needs more requests than a short form has.
  if (isShort && kind === 'fails-sometimes') return false;
  return values.only === undefined || values.only.split(',').includes(kind);
}

function make({ builds }: Shop, version: string, { kind = 'good', files = {} }: Partial<Case> = {}): Build {
  return makeBuild(builds, version, kind, { '.env.example': 'PORT=3000\n', ...files });
}

/** Where it came from is gone as soon as it was released: what is gone back to is on the host. */
async function release(shop: Shop, build: Build): Promise<ReleaseView> {
  const view = await shop.release(build);
  rmSync(build.archive);
  return view;
}

/** Instances in their roles, and where they, `current` and the list of releases say that they run from. */
async function whatServes({ rig }: Shop): Promise<{ text: string; folder: string }> {
  const { instances } = await rig.service('shop');
  const [group] = await rig.client.call('releases');
  const current = group!.releases.find(({ id }) => id === group!.current)!;
  const link = join(group!.folder, readlinkSync(join(group!.folder, 'current')));
  const folders = instances.map(({ pid }) => readlinkSync(`/proc/${pid}/cwd`));
  const rows = instances.map(({ index, role, status, pid, attempt }) => [index, role, status, pid, attempt]);
  const isOne = new Set([...folders, link, current.folder]).size === 1;
  const isWhole = instances.every(({ role, status }) => role === 'serving' && status === 'running');
  return {
    text: JSON.stringify(rows),
    folder: isOne && isWhole ? link : `${folders.join()} ${JSON.stringify(rows)}`,
  };
}

interface Released {
  readonly shop: Shop;
  readonly view: ReleaseView;
  readonly load: RateLoad;
  readonly instances: number;
  readonly good: Build;
  readonly build: Build;
  /** What serves is what served. */
  readonly isSame: boolean;
}

async function judge(
  { name, says, ends, failingShare = 0, breaksConnections = false }: Case,
  { shop, view, load, instances, good, build, isSame }: Released,
): Promise<boolean> {
  const { answers } = load;
  const { asked, refused } = load.sinceMark();
  const hasCanary = instances > 1 && ends !== 'after the switch';
  const course = new Course({ view, answers, good: good.version, bad: build.version, hasCanary });
  const { failed, failedBefore, byBad, shareOfBad, restoredMs, longestGapMs } = course;
  const share = hasCanary ? 1 / (instances + 1) : 0.5;
  const mostFailed =
    Math.ceil((byBad + PROBES * instances) * failingShare) + (breaksConnections ? CONNECTIONS : 0);
  const reason = await whatWentWrong(shop, view);
  const wasSwitched = ends === 'after the switch';
  const facts = {
    'how it ended': view.status === (wasSwitched ? 'rolled-back' : 'failed'),
    'the reason': says.test(reason),
    'what serves': isSame,
    'failures before the switch': failedBefore === 0,
    'what failed': failed.length <= mostFailed && refused === 0,
    'who answered': ends === 'unseen' ? byBad === 0 : byBad > 0,
    'its share': wasSwitched || shareOfBad <= share * SHARE_TOLERANCE,
    'when it was restored': restoredMs < RESTORED_MS,
    'serving throughout': wasSwitched || longestGapMs < LONGEST_GAP_MS,
  };
  const bad = Object.entries(facts).flatMap(([fact, holds]) => (holds ? [] : [fact]));
  const seen = wasSwitched
    ? ''
    : `, ${(shareOfBad * 100).toFixed(0)} % by the new one (of ${Math.round(share * 100)})`;
  console.log(
    `${instances} × ${name.padEnd(32)} ${view.status.padEnd(11)} ${asked} asked, ${failed.length} failed (at most ${mostFailed})${seen}, restored in ${Math.round(restoredMs)} ms, gap ${longestGapMs} ms${bad.length > 0 ? `  WRONG: ${bad.join(', ')}` : ''}`,
  );
  console.log(`    ${reason}`);
  if (bad.length > 0) tellFailures(course, view);
  return bad.length === 0;
}

/** At which stage. */
function tellFailures({ failed }: Course, { stages }: ReleaseView): void {
  for (const { at, version, fault } of failed.slice(0, SHOWN_FAILURES)) {
    const stage = stages.findLast(({ startedAt }) => Date.parse(startedAt) <= at);
    const since = stage
      ? `${at - Date.parse(stage.startedAt)} ms after the begin of ${stage.stage}`
      : 'before it';
    console.log(`    ${fault} (${version ?? 'nobody'}), ${since}`);
  }
}

/** As `upkeep release report` says it, without what makes it Markdown. */
async function whatWentWrong({ rig }: Shop, { id }: ReleaseView): Promise<string> {
  const { stdout } = await rig.cli('release', 'report', id);
  const [, section = 'no reason'] = /\n## What went wrong\n\n(.*)/.exec(stdout) ?? [];
  return section.replace(/\\([\\|<>[\]`*_])/g, '$1');
}

function mapToStrings(record: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]));
}

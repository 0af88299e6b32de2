/**
 * The power goes at every stage of a release, of one that fails and of one that is sent back (root; a file system of its own): what had
 * reached the disk is enough.
 *
 * The home and the releases lie on an ext4 on a loop device, which is shut down as it is, without a page or its journal being written
 * any more. All processes are killed with it, the disk is mounted again and a daemon started, as a boot does. The release ends by
 * itself; one version serves with all its instances, which is the one that the end of the release tells; nothing is torn, nothing that was
 * told before is forgotten, and the next release succeeds.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RELEASE_STAGES, type ReleaseStage, type ReleaseView } from '../../src/protocol/index.js';
import { readRecord } from '../../src/release/index.js';
import {
  AT_ITS_END,
  afterAccepted,
  atStage,
  followTo,
  freePort,
  makeBuild,
  Shop,
  tornFiles,
  whatIsNotWhole,
  WHILE_PUT_BACK,
  type Build,
  type Kind,
  type Moment,
} from '../../test/rig/index.js';
import { befallenOptions, END_MS, endOf, EXITS_AFTER_MS, LONGEST_MS, requestOf } from './support/befallen.js';
import { Disk } from './survives-a-power-cut-at-every-step/disk.js';
import { Machine } from './survives-a-power-cut-at-every-step/machine.js';

const { scale, random, isWanted } = befallenOptions();
const INSTANCES = 2;
const RANDOM_CUTS = 24;
/** After a stage has begun. */
const LATER_MS = 400;
/** What is not synced reaches such a disk sooner or later, and in another order. */
const MOUNTS = ['defaults', 'commit=1', 'data=writeback,commit=1'];
/** Files that the installation makes. */
const INSTALLED = 60;
const INSTALL = `mkdir -p node_modules && for n in $(seq ${INSTALLED}); do mkdir node_modules/$n && cp lib.txt node_modules/$n/index.txt; done`;

interface Case {
  readonly kind: Kind;
  readonly moment: Moment;
}

if (process.getuid?.() !== 0) {
  console.error('Cannot cut the power: this proof needs root, for a disk of its own');
  process.exit(1);
}
await using shop = await Shop.create({
  hasDaemon: false,
  port: await freePort(),
  instances: INSTANCES,
  env: { EXITS_AFTER_MS: String(EXITS_AFTER_MS) },
  group: { install: { run: ['sh', '-c', INSTALL] }, linked: { folders: ['uploads'] } },
  verify: {
    stable: '200ms',
    canary: { instances: 1, for: '300ms' },
    for: '500ms',
    bake: '1s',
    smoke: '/checkout',
  },
});
const { rig } = shop;
const disk = new Disk(rig.home.path);
const machine = new Machine(rig, disk);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => giveUp());

let number = 0;
let [cuts, wrong] = [0, 0];
/** What was told of releases that had ended, by their number. */
const told = new Map<string, ReleaseView['status']>();
const builds = new Map<string, Build>();
let serving: Build;
const startedAt = performance.now();
try {
  await mountForgetfulDisk();
  await rig.startDaemon();
  serving = await releaseGood();
  for (const [index, each] of someOf(allCases()).entries())
    await tryOut(each, MOUNTS[index % MOUNTS.length]!);
} finally {
  await machine.end().finally(() => disk.remove());
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
console.log(`${cuts} power cuts, ${wrong} with an end that is not whole; ${seconds} s`);
process.exitCode = wrong === 0 && cuts > 0 ? 0 : 1;

/** One that remembers what was never synced would prove nothing. */
async function mountForgetfulDisk(): Promise<void> {
  const path = join(disk.mountPoint, 'never-synced');
  disk.mount();
  writeFileSync(path, 'this is not on the disk');
  disk.cut();
  await disk.unmount();
  disk.mount();
  assert.equal(existsSync(path) ? readFileSync(path, 'utf8') : '', '');
  rmSync(path, { force: true });
}

function allCases(): Case[] {
  const stages: Record<string, readonly ReleaseStage[]> = {
    good: RELEASE_STAGES,
    'smoke-red': upTo('boot'),
    'exits-later': upTo('bake'),
  };
  const wanted = Object.entries(stages).filter(([name]) => isWanted(name));
  return wanted.flatMap(([name, all]) => {
    const kind = name as Kind;
    const moments = all.flatMap((stage) => [atStage(stage), atStage(stage, random() * LATER_MS)]);
    if (kind !== 'good') moments.push(WHILE_PUT_BACK);
    const byChance = Array.from({ length: RANDOM_CUTS / 3 }, () => afterAccepted(random() * LONGEST_MS));
    return [...moments, AT_ITS_END, ...byChance].map((moment) => ({ kind, moment }));
  });
}

function upTo(last: ReleaseStage): readonly ReleaseStage[] {
  return RELEASE_STAGES.slice(0, RELEASE_STAGES.indexOf(last) + 1);
}

/** Of all kinds, in the short form, too. */
function someOf(cases: readonly Case[]): readonly Case[] {
  const stride = 1 / scale;
  return cases.filter((_, index) => Math.floor((index + 1) / stride) > Math.floor(index / stride));
}

async function tryOut({ kind, moment }: Case, mount: string): Promise<void> {
  const made = build(kind);
  const { id, hasCome, view: before } = await followTo(rig, await requestOf(shop, made), moment);
  if (!hasCome) {
    if (before.status === 'succeeded') serving = made;
    told.set(id, before.status);
    if (kind === 'good') wrong++;
    return console.log(`${kind}, ${moment.words}: it never came there`);
  }
  if (before.finishedAt !== null) told.set(id, before.status);
  await machine.cutPowerAndBoot(mount);
  cuts++;
  const view = await rig.until('the release has ended', () => endOf(shop, id), END_MS);
  if (view.status === 'succeeded') serving = made;
  const bad = await judge(view, kind);
  told.set(id, view.status);
  serving = await releaseGood().catch((error: Error) => {
    bad.push(`the next release: ${error.message}`);
    return serving;
  });
  bad.push(
    ...(await whatIsNotWhole(shop, serving, INSTANCES)).map((words) => `after the next release, ${words}`),
  );
  if (bad.length > 0) wrong++;
  const words =
    bad.length > 0
      ? ` WRONG: ${bad.join('; ')} (${JSON.stringify(view.failure)}, ${view.notes.join('; ')})`
      : '';
  console.log(`${kind}, ${moment.words}, ${mount}: ${view.status}${words}`);
}

async function judge({ id, status }: ReleaseView, kind: Kind): Promise<string[]> {
  const fits = kind === 'good' ? status === 'succeeded' : status !== 'succeeded';
  const before = told.get(id);
  return [
    ...(fits ? [] : [`it has ${status}`]),
    ...(before === undefined || before === status ? [] : [`it was told to have ${before}`]),
    ...(await untilServing()),
    ...(await whatIsNotWhole(shop, serving, INSTANCES)),
    ...(await whatWasForgotten()),
    ...tornJournals(),
  ];
}

/** A release that had ended says nothing of the boot. */
async function untilServing(): Promise<string[]> {
  const isUp = async (): Promise<boolean> =>
    (await rig.service('shop')).instances.every(({ status }) => status === 'running');
  return rig.until('all instances run', isUp).then(
    () => [],
    (error: Error) => [error.message],
  );
}

/** Of what was told, and of releases that it is possible to go back to. */
async function whatWasForgotten(): Promise<string[]> {
  const [group] = await rig.client.call('releases', { query: { limit: '200' } });
  const known = new Map(group!.releases.map((view) => [view.id, view]));
  const forgotten = [...told].flatMap(([id, status]) => {
    const now = known.get(id)?.status;
    return now === status ? [] : [`release ${id} had ${status}, and now ${now ?? 'is not known'}`];
  });
  const good = group!.releases.filter(({ status }) => status === 'succeeded').slice(0, 2);
  const torn = good.flatMap(({ folder, build: of }) => {
    const { version } = of!;
    const record = readRecord(folder!);
    return [
      ...(record?.isReady ? [] : [`${folder} says of itself: ${JSON.stringify(record)}`]),
      ...tornFiles(builds.get(version!)!, folder!),
      ...tornModules(folder!),
    ];
  });
  return [...forgotten, ...torn];
}

function tornModules(folder: string): string[] {
  const lib = readFileSync(join(folder, 'lib.txt'), 'utf8');
  return Array.from({ length: INSTALLED }, (_, index) =>
    join(folder, 'node_modules', String(index + 1), 'index.txt'),
  )
    .filter((path) => !existsSync(path) || readFileSync(path, 'utf8') !== lib)
    .map((path) => `${path} is not what was installed`);
}

/** Their last lines may be of something that is being written, and is not told yet. */
function tornJournals(): string[] {
  return ['releases.jsonl', 'operations.jsonl'].flatMap((name) => {
    const lines = readFileSync(join(rig.home.path, name), 'utf8').split('\n').slice(0, -1);
    return lines.every(isJson) ? [] : [`${name} has a torn line`];
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Without what takes time. */
async function releaseGood(): Promise<Build> {
  const made = build('good');
  const spec = await shop.spec();
  const verify = { ...spec.verify, canary: null, forMs: 0, bakeMs: 0 };
  const { id, status, failure } = await shop.release(made, { spec: { ...spec, verify } });
  assert.equal(status, 'succeeded', JSON.stringify(failure));
  told.set(id, status);
  return made;
}

function build(kind: Kind): Build {
  const lib = `${number} `.repeat(4000);
  const made = makeBuild(shop.builds, `1.${number++}.0`, kind, { 'lib.txt': lib, 'public/page.txt': lib });
  builds.set(made.version, made);
  return made;
}

function giveUp(): void {
  while (machine.killAll() > 0);
  disk.remove();
  rmSync(rig.folder, { recursive: true, force: true });
  process.exit(1);
}

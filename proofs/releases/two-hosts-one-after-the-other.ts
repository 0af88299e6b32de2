/**
 * Two hosts behind HAProxy, each with an upkeep of its own, are released one after the other under load: each takes itself out, is replaced
 * and verified, and lets itself in again; no request fails. Bad builds are released on the first host in between: it goes back to what served
 * before, has its traffic again, and the second host never hears of them. HAProxy is reloaded while a host is out.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ReleaseView } from '../../src/protocol/index.js';
import { type Build, freePort, Haproxy, type Kind, makeBuild, Shop, until } from '../../test/rig/index.js';
import { RateLoad } from './support/rate-load.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const ROUNDS = Math.max(2, Math.round(20 * scale));
const PER_SECOND = 200;
/** A release takes no longer, also on a machine that has much to do. */
const RELEASE_MS = 120_000;
const HOSTS = ['app1', 'app2'] as const;
/** What is let in may break what it is asked, until it is found: the last four. */
const BREAKING: readonly Kind[] = ['fails-often', 'hangs-later', 'exits-later', 'leaks'];
const BAD: readonly Kind[] = ['exits-at-boot', 'smoke-red', 'hangs-at-boot', 'new-exception', ...BREAKING];
/** The new ones of one of two hosts, beside the old ones. */
const MOST_SHARE = 0.25;

const front = await freePort();
const ports = new Map<string, number>();
for (const host of HOSTS) ports.set(host, await freePort());
const folder = mkdtempSync(join(tmpdir(), 'upkeep-two-hosts-'));
await using haproxy = await Haproxy.start({
  folder,
  backends: { shop: { port: front, servers: Object.fromEntries(ports) } },
  keepsState: true,
});
await using one = await makeHost('app1');
await using two = await makeHost('app2');
const hosts = { app1: one, app2: two };

const first = makeBuild(one.builds, '1.0.0');
for (const shop of [one, two]) {
  const spec = { ...(await shop.spec()), traffic: null };
  assert.equal((await shop.release(first, { spec })).status, 'succeeded');
}
await until('both servers are up', async () => (await states()).every(isServing));
await using load = await RateLoad.start({ port: front, perSecond: PER_SECOND });
await load.untilAnswered(PER_SECOND);

let [wrong, bad, reloads] = [0, 0, 0];
let failedByBad = 0;
let serving = first.version;
load.mark();
for (let round = 1; round <= ROUNDS; round++) {
  if (round % 2 === 0) await releaseBad(BAD[bad % BAD.length]!);
  const build = makeBuild(one.builds, `1.${round}.0`);
  for (const host of HOSTS) {
    const isReloaded = host === HOSTS[round % 2];
    const release = hosts[host].release(build);
    if (isReloaded) await reloadWhileOut(host, release);
    const view = await release;
    await expectWhole(`round ${round} at ${host}`, view, 'succeeded');
  }
  serving = build.version;
  const alone = await load.untilAnswered(PER_SECOND).then(() => answering());
  if (alone !== serving) fail(`round ${round}`, `${alone} answers, not ${serving}`);
}
const { asked, failed, failures } = load.total;
console.log(
  `${ROUNDS} releases of two hosts, ${bad} bad ones in between, ${reloads} reloads of HAProxy while a host was out: ${wrong} not as they should be`,
);
console.log(
  `${asked} requests, ${failed - failedByBad} failed, and ${failedByBad} by bad builds that were let in to be seen: ${failures.slice(0, 5).join('; ')}`,
);
rmSync(folder, { recursive: true, force: true });
process.exitCode = wrong === 0 && failed === failedByBad && reloads >= ROUNDS / 2 ? 0 : 1;

async function makeHost(host: (typeof HOSTS)[number]): Promise<Shop> {
  return Shop.create({
    port: ports.get(host)!,
    otherPort: await freePort(),
    instances: 2,
    env: { FAULTY_AFTER_MS: '1000', EXITS_AFTER_MS: '3000' },
    service: { limits: { memory: '150MB' } },
    verify: {
      canary: false,
      stable: '200ms',
      for: '4s',
      bake: 0,
      smoke: '/checkout',
      minRequests: 50,
      latency: 'ignore', // in a short look on a busy machine, what has just started is slower
    },
    group: {
      traffic: { haproxy: { sockets: [haproxy.socket], servers: { shop: `shop/${host}` } } },
    },
  });
}

async function releaseBad(kind: Kind): Promise<void> {
  bad++;
  const { failed: before, asked: askedBefore } = load.total;
  const build: Build = makeBuild(one.builds, `2.0.${bad}`, kind);
  const view = await one.release(build);
  await expectWhole(kind, view, 'failed');
  await load.untilAnswered(PER_SECOND);
  const alone = await load.untilAnswered(PER_SECOND).then(() => answering());
  if (alone !== serving) fail(kind, `${alone} answers, not ${serving}`);
  const failedNow = load.total.failed - before;
  const askedNow = load.total.asked - askedBefore;
  if (BREAKING.includes(kind) && failedNow <= askedNow * MOST_SHARE) failedByBad += failedNow;
  else if (failedNow > 0) fail(kind, `${failedNow} requests failed`);
}

/** How it ended, both hosts have their traffic, and all run. */
async function expectWhole(what: string, view: ReleaseView, ends: 'succeeded' | 'failed'): Promise<void> {
  const isAsExpected = (view.status === 'succeeded') === (ends === 'succeeded');
  if (!isAsExpected) fail(what, `${view.status}: ${view.failure?.message}`);
  const seen = await states();
  if (!seen.every(isServing)) fail(what, JSON.stringify(seen));
}

function fail(what: string, why: string): void {
  wrong++;
  console.log(`${what}: ${why}`);
}

async function answering(): Promise<string> {
  const before = load.total.byVersion;
  await load.untilAnswered(PER_SECOND);
  const now = load.total.byVersion;
  return Object.keys(now)
    .filter((version) => (now[version] ?? 0) > (before[version] ?? 0))
    .join(' and ');
}

async function reloadWhileOut(host: string, release: Promise<ReleaseView>): Promise<void> {
  let ended: ReleaseView | undefined;
  const deadline = performance.now() + RELEASE_MS;
  void release.then((view) => (ended = view));
  // Without a pause: it may be out for some ten milliseconds only.
  while (!(await states()).some(({ server, isOut }) => server === host && isOut)) {
    if (performance.now() > deadline) throw new Error(`${host} is not out within ${RELEASE_MS / 1000} s`);
    if (ended) return; // it was back before that could be seen
  }
  await haproxy.reload();
  reloads++;
}

interface State {
  readonly server: string;
  readonly takes: boolean;
  readonly isOut: boolean;
  readonly weight: number;
}

function isServing({ takes, weight }: State): boolean {
  return takes && weight === 100;
}

/** As HAProxy sees its servers. */
async function states(): Promise<State[]> {
  const [head = '', ...lines] = (await haproxy.ask('show stat')).trim().split('\n');
  const columns = head.replace(/^# /, '').split(',');
  const value = (line: string, name: string): string => line.split(',')[columns.indexOf(name)] ?? '';
  return lines
    .filter((line) => value(line, 'pxname') === 'shop' && value(line, 'svname').startsWith('app'))
    .map((line) => ({
      server: value(line, 'svname'),
      takes: value(line, 'status') === 'UP',
      isOut: /^(?:DRAIN|MAINT)/.test(value(line, 'status')),
      weight: Number(value(line, 'weight')),
    }));
}

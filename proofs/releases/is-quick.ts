/**
 * How long it takes from a build on the disk until it serves, verified, and from "back" until the one before serves again; by upkeep, by `pm2
 * deploy`, and by a symlink with `pm2 reload`. The same builds, the same load, side by side, with what failed meanwhile; and what a build that
 * crashes at its start does to each.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Build, freePort, makeBuild, until } from '../../test/rig/index.js';
import { byPm2Deploy } from './is-quick/by-pm2-deploy.js';
import { bySymlink } from './is-quick/by-symlink.js';
import { byUpkeep } from './is-quick/by-upkeep.js';
import type { Way } from './is-quick/way.js';
import { RateLoad } from './support/rate-load.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const ROUNDS = Math.max(2, Math.round(10 * Number(values.scale)));
const INSTANCES = 2;
const PER_SECOND = 200;
/** A release, without the boot of the program; and a rollback. */
const [RELEASE_MS, ROLLBACK_MS] = [3000, 2000];
const CALM_MS = 1000;

interface Figures {
  readonly releaseMs: number[];
  readonly rollbackMs: number[];
  failedReleasing: number;
  failedRollingBack: number;
  failedByBad: number;
  asked: number;
}

const folder = mkdtempSync(join(tmpdir(), 'upkeep-quick-'));
const builds = join(folder, 'builds');
mkdirSync(builds);
const bootMs = await boot();
const rows: [string, Figures][] = [];
try {
  await measureAndEnd(await byUpkeep(await freePort(), INSTANCES));
  await measureAndEnd(await bySymlink(join(folder, 'symlink'), await freePort(), INSTANCES));
  await measureAndEnd(await byPm2Deploy(join(folder, 'deploy'), await freePort(), INSTANCES));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(
  `the program boots in ${bootMs.toFixed(0)} ms; ${ROUNDS} rounds of each, ${PER_SECOND} requests a second`,
);
console.log(
  '                          release p50    most   failed   rollback p50    most   failed   failed by a crashing build',
);
for (const [name, { releaseMs, rollbackMs, failedReleasing, failedRollingBack, failedByBad }] of rows) {
  const cells = [
    seconds(median(releaseMs)),
    seconds(Math.max(...releaseMs)),
    String(failedReleasing).padStart(7),
  ];
  const back = [
    seconds(median(rollbackMs)).padStart(13),
    seconds(Math.max(...rollbackMs)),
    String(failedRollingBack).padStart(7),
  ];
  console.log(`${name.padEnd(24)} ${[...cells, ...back, String(failedByBad).padStart(10)].join('  ')}`);
}
const [, ours] = rows[0]!;
const holds =
  median(ours.releaseMs) < RELEASE_MS + bootMs &&
  median(ours.rollbackMs) < ROLLBACK_MS + bootMs &&
  ours.failedReleasing + ours.failedRollingBack + ours.failedByBad === 0;
process.exitCode = holds ? 0 : 1;

async function measureAndEnd(way: Way): Promise<void> {
  try {
    await measure(way);
  } finally {
    await way[Symbol.asyncDispose]();
  }
}

async function measure(way: Way): Promise<void> {
  const figures: Figures = {
    releaseMs: [],
    rollbackMs: [],
    failedReleasing: 0,
    failedRollingBack: 0,
    failedByBad: 0,
    asked: 0,
  };
  const make = (version: string, kind?: Build['kind']): Build =>
    makeBuild(join(builds, way.name.replaceAll(' ', '-')), version, kind);
  mkdirSync(join(builds, way.name.replaceAll(' ', '-')));
  await way.release(make('1.0.0'));
  await using load = await RateLoad.start({ port: way.port, perSecond: PER_SECOND });
  await load.untilAnswered(PER_SECOND);
  let version = '1.0.0';
  for (let round = 1; round <= ROUNDS; round++) {
    const build = make(`1.${round}.0`);
    load.mark();
    figures.releaseMs.push(await untilAlone(load, build.version, () => way.release(build)));
    figures.failedReleasing += load.sinceMark().failed;
    load.mark();
    figures.rollbackMs.push(await untilAlone(load, version, () => way.rollback()));
    figures.failedRollingBack += load.sinceMark().failed;
    await way.release(build);
    version = build.version;
    await delay(CALM_MS);
  }
  load.mark();
  await way.release(make('2.0.0', 'exits-at-boot'));
  await delay(CALM_MS);
  figures.failedByBad = load.sinceMark().failed;
  figures.asked = load.total.asked;
  rows.push([way.name, figures]);
}

/** From the command until it is over and only that version answers. */
async function untilAlone(load: RateLoad, version: string, act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await act();
  let seen = load.total.byVersion;
  await until(`only ${version} answers`, async () => {
    await delay(150);
    const now = load.total.byVersion;
    const grown = Object.keys(now).filter((each) => (now[each] ?? 0) > (seen[each] ?? 0));
    seen = now;
    return grown.length === 1 && grown[0] === version;
  });
  return performance.now() - startedAt;
}

/** From its spawn until it answers, without any manager. */
async function boot(): Promise<number> {
  const { spawn } = await import('node:child_process');
  const { isListening } = await import('../../test/rig/index.js');
  mkdirSync(join(builds, 'bare'));
  makeBuild(join(builds, 'bare'), '0.0.1');
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(builds, 'bare/shop-0.0.1/server.cjs')], {
    env: { PORT: String(port) },
    stdio: 'ignore',
  });
  await until('the program listens', () => isListening(port));
  const tookMs = performance.now() - startedAt;
  child.kill('SIGKILL');
  return tookMs;
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1]!;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`.padStart(7);
}

/**
 * Held sockets and the preload cost a service nothing: throughput and latency of one instance are those of the bare
 * program, those of two instances at least those of node:cluster, the daemon does nothing for a request, a crash is over
 * as soon as the program has booted, and the preload takes less than 1 MB.
 *
 * All are measured in turn, many short rounds, and compared within each round, so that what else the machine does meets
 * all alike. Two bare processes, which are the same, tell how much that is; their mean is what one instance is compared
 * with. Needs wrk (Debian: wrk) and a quiet machine.
 */
import { parseArgs } from 'node:util';
import { assertSucceeded, freePort, Rig } from '../../test/rig/index.js';
import { APP, Bare, cpuMs, privateKb, untilAnswered } from './costs-nothing/processes.js';
import { wrk, type Throughput } from './costs-nothing/wrk.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const rounds = Math.max(5, Math.round(31 * scale));
const SECONDS = 2;
const crashes = Math.max(5, Math.round(25 * scale));

const LEAST_RATIO = 0.97;
/** What is allowed for the requests is allowed for their times; beyond it, a sign test decides whether it was chance. */
const MOST_P99_RATIO = 1 / LEAST_RATIO;
const CHANCE = 0.01;
const MOST_CRASH_MS = 30;
const MOST_PRELOAD_KB = 1000;
/** Of the requests, or rather of the work that they are, each of two instances must do. */
const LEAST_SHARE = 0.3;
const problems: string[] = [];

await using rig = await Rig.create();
const ports = {
  bare: await freePort(),
  again: await freePort(),
  cluster: await freePort(),
  one: await freePort(),
  two: await freePort(),
};
type Name = keyof typeof ports;
const service = (port: number, instances: number) => ({
  script: 'server.js',
  cwd: APP,
  port,
  instances,
  env: { PORT: port },
  restart: { delay: 1, maxDelay: 1, limit: 1_000_000 },
});
assertSucceeded(await rig.up({ one: service(ports.one, 1), two: service(ports.two, 2) }));
const daemonPid = (await rig.client.call('daemon')).pid;

{
  await using bare = new Bare('server.js', ports.bare);
  await using again = new Bare('server.js', ports.again);
  await using cluster = new Bare('cluster.js', ports.cluster);
  for (const each of [bare, again, cluster]) await each.untilAnswered();
  for (const isKeptAlive of [true, false]) await compareThroughput(isKeptAlive);
}
await compareCrash();
await compareMemory();

for (const problem of problems) console.log(`NOT REACHED: ${problem}`);
if (problems.length > 0) process.exitCode = 1;

async function compareThroughput(isKeptAlive: boolean): Promise<void> {
  const runs: Record<Name, Throughput>[] = [];
  const daemonMs = cpuMs(daemonPid);
  const twins = (await rig.service('two')).instances.map(({ pid }) => pid!);
  const shares = twins.map((pid) => -cpuMs(pid));
  for (let round = 0; round < rounds; round++) {
    const run = {} as Record<Name, Throughput>;
    for (const name of inTurn(round)) run[name] = await wrk(ports[name], SECONDS, isKeptAlive);
    runs.push(run);
  }
  const usedMs = cpuMs(daemonPid) - daemonMs;
  const requests = runs.reduce((sum, { one, two }) => sum + (one.perSecond + two.perSecond) * SECONDS, 0);
  twins.forEach((pid, index) => (shares[index]! += cpuMs(pid)));
  const share = Math.min(...shares) / shares.reduce((sum, ms) => sum + ms, 0);
  const kind = isKeptAlive ? 'keep-alive' : 'Connection: close';
  const compare = (name: Name, peers: readonly Name[]): void => {
    const of = (run: Record<Name, Throughput>, figure: keyof Throughput): number =>
      run[name][figure] / mean(peers.map((peer) => run[peer][figure]));
    const rate = median(runs.map((run) => of(run, 'perSecond')));
    const p99s = runs.map((run) => of(run, 'p99Ms'));
    const p99 = median(p99s);
    const title = `${kind}: ${name} / ${peers.join(' and ')}`;
    const chance = chanceOfSoMany(p99s.filter((ratio) => ratio > 1).length, rounds);
    console.log(
      `${title}: ${rate.toFixed(3)} of the requests, ${p99.toFixed(3)} of the 99 % (by chance: ${chance.toFixed(2)})`,
    );
    if (name === 'again') return;
    if (rate < LEAST_RATIO) problems.push(`${title}: ${rate.toFixed(3)} of the requests`);
    if (p99 > MOST_P99_RATIO && chance < CHANCE) problems.push(`${title}: ${p99.toFixed(3)} of the 99 %`);
  };
  for (const name of Object.keys(ports) as Name[]) {
    const perSecond = median(runs.map((run) => run[name].perSecond));
    const p99Ms = median(runs.map((run) => run[name].p99Ms));
    console.log(
      `${kind}: ${name.padEnd(8)} ${perSecond.toFixed(0).padStart(7)} requests/s, 99 % in ${p99Ms.toFixed(2)} ms`,
    );
  }
  compare('again', ['bare']);
  compare('one', ['bare', 'again']);
  compare('two', ['cluster']);
  const perThousand = (usedMs / requests) * 1000;
  console.log(
    `${kind}: daemon ${perThousand.toFixed(3)} ms per 1,000 requests; lesser share of two: ${share.toFixed(2)}`,
  );
  if (perThousand > 0.1)
    problems.push(`${kind}: the daemon used ${perThousand.toFixed(3)} ms per 1,000 requests`);
  if (share < LEAST_SHARE) problems.push(`${kind}: one of two instances did ${share.toFixed(2)} of the work`);
}

/** Another one is first in each round. */
function inTurn(round: number): Name[] {
  const names = Object.keys(ports) as Name[];
  const first = round % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}

/** From SIGKILL to the first answer, beside the first answer of the bare program after its start. */
async function compareCrash(): Promise<void> {
  const differences: number[] = [];
  for (let count = 0; count < crashes; count++) {
    const bootedMs = await bootBare();
    const { pid } = await rig.instance('one');
    const startedAt = performance.now();
    process.kill(pid!, 'SIGKILL');
    while ((await untilAnswered(ports.one)) === String(pid));
    differences.push(performance.now() - startedAt - bootedMs);
  }
  const difference = median(differences);
  console.log(
    `crash to answer: ${difference.toFixed(1)} ms beside the boot of the bare program (median of ${crashes})`,
  );
  if (difference > MOST_CRASH_MS) problems.push(`a crash took ${difference.toFixed(1)} ms more than a boot`);
}

async function bootBare(): Promise<number> {
  const startedAt = performance.now();
  await using bare = new Bare('server.js', ports.bare);
  await bare.untilAnswered();
  return performance.now() - startedAt;
}

/** After the same few requests. */
async function compareMemory(): Promise<void> {
  const added: number[] = [];
  for (let count = 0; count < Math.min(15, rounds); count++) {
    await rig.request({ kind: 'restart', services: ['one'] });
    await using bare = new Bare('server.js', ports.bare);
    for (let request = 0; request < 20; request++) {
      await untilAnswered(ports.bare);
      await untilAnswered(ports.one);
    }
    added.push(privateKb((await rig.instance('one')).pid!) - privateKb(bare.pid));
  }
  console.log(
    `private memory beside the bare program: ${median(added).toFixed(0)} KB (median of ${added.length})`,
  );
  if (median(added) > MOST_PRELOAD_KB) problems.push(`the preload takes ${median(added).toFixed(0)} KB`);
}

/** How likely a fair coin falls on one side so often, or more often. */
function chanceOfSoMany(heads: number, throws: number): number {
  let chance = 0;
  let ways = 1;
  for (let count = 0; count <= throws; count++) {
    if (count >= heads) chance += ways / 2 ** throws;
    ways = (ways * (throws - count)) / (count + 1);
  }
  return chance;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

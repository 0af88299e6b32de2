/**
 * What being measured costs: processor time for a request and memory of a server with and without the metrics of the preload, the
 * daemon's time for 300 services every ten seconds, and the disk for a year of 50 services.
 *
 * A server whose processor is the limit answers as many requests as its time for each of them allows: so that time is compared, which
 * other work on the machine changes less than it changes a throughput.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeThrough } from '../../src/metrics/samples.js';
import { HistoryFile, MAX_FILE_BYTES } from '../../src/metrics/history-file.js';
import { BUCKETS } from '../../src/metrics/histogram.js';
import { PACES } from '../../src/metrics/ring-file.js';
import { SAMPLE_BYTES } from '../../src/metrics/sample.js';
import { MAX_SLOW_BYTES, SlowRequests } from '../../src/metrics/slow-requests.js';
import type { SlowRequest } from '../../src/protocol/index.js';
import { privateKb } from '../port/costs-nothing/processes.js';
import { app, Rig } from '../../test/rig/index.js';
import { PreloadHost, type ControlConnection } from '../../test/rig/preload-host.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const PAIRS = Math.max(2, Math.round(24 * scale));
const ROUNDS = 6;
const ROUND_MS = scale < 0.2 ? 400 : 500;
const KINDS = ['plain', 'measured'] as const;
const NOTHING = { ms: 0, requests: 0 };
const SERVICES = Math.max(20, Math.round(300 * scale));
const IDLE_MS = scale < 0.2 ? 12_000 : 120_000;
const YEAR_S = Math.round(365 * 86_400 * Math.min(1, scale));
const KEPT = 50;
const MOST_BYTES =
  PACES.reduce((sum, { slots }) => sum + slots * SAMPLE_BYTES, 0) + 2 * MAX_FILE_BYTES + 2 * MAX_SLOW_BYTES;
const [RATIO, MEMORY_BYTES, CORE_SHARE] = [0.97, 5 * 1024 ** 2, 0.01];

const { ratio, addedBytes } = await overhead();
console.log(
  `processor time for a request without metrics / with: ${ratio.toFixed(3)} (median of ${PAIRS} pairs of processes)`,
);
console.log(`memory added to a process: ${(addedBytes / 1024 ** 2).toFixed(1)} MB`);
const share = await daemonShare();
console.log(`the daemon measures ${SERVICES} services with ${(share * 100).toFixed(2)} % of one core`);
const perService = yearOfOne();
const total = (KEPT * perService) / 1024 ** 2;
console.log(
  `${Math.round(YEAR_S / 86_400)} days of ${KEPT} services: ${total.toFixed(0)} MB; the bound is ${((KEPT * MOST_BYTES) / 1024 ** 2).toFixed(0)} MB`,
);
assert.ok(addedBytes <= MEMORY_BYTES && perService <= MOST_BYTES);
assert.ok(share <= CORE_SHARE);
// Faster than without metrics by more than noise: the comparison itself is wrong.
if (scale >= 0.2) assert.ok(ratio >= RATIO && ratio <= 1 / RATIO, 'ratio');

/**
 * Pairs of servers, asked in turn: whatever else the machine does, it does to both. Of two processes of one program one is quicker than
 * the other by some hundredths, so there are many pairs, the one that is measured begins first and last in turn, and the median counts: a
 * pair that was disturbed is one of many.
 */
async function overhead(): Promise<{ ratio: number; addedBytes: number }> {
  const [ratios, added]: [number[], number[]] = [[], []];
  for (let pair = 0; pair < PAIRS; pair++) {
    await using preload = new PreloadHost();
    const used = { plain: NOTHING, measured: NOTHING };
    const names = pair % 2 === 0 ? KINDS : KINDS.toReversed();
    const servers = new Map<Kind, Server>();
    for (const name of names) servers.set(name, await startServer(preload));
    await servers.get('measured')!.control.ask({ do: 'metrics' });
    for (const name of [...KINDS, ...KINDS]) await answer(servers.get(name)!);
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
        const { ms, requests } = await answer(servers.get(name)!);
        used[name] = { ms: used[name].ms + ms, requests: used[name].requests + requests };
      }
      await servers.get('measured')!.control.ask({ do: 'metrics' });
    }
    const [plain, measured] = KINDS.map((name) => used[name].ms / used[name].requests);
    ratios.push(plain! / measured!);
    const [plainBytes, measuredBytes] = KINDS.map((name) => privateKb(servers.get(name)!.pid) * 1024);
    added.push(measuredBytes! - plainBytes!);
    for (const { control } of servers.values()) control.close();
  }
  return { ratio: median(ratios), addedBytes: median(added) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

type Kind = (typeof KINDS)[number];

interface Server {
  readonly port: number;
  readonly pid: number;
  readonly control: ControlConnection;
}

async function startServer(preload: PreloadHost): Promise<Server> {
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', app('serves-http.cjs')], { env: { PORT: String(port) } });
  await attempt.untilSaid(/^listening/);
  return { port, pid: attempt.pid, control: await attempt.control() };
}

/** Its processor time for a round of requests. */
async function answer({ pid, port }: Server): Promise<{ ms: number; requests: number }> {
  const before = cpuMs(pid);
  const requests = await throughput(port, ROUND_MS);
  return { ms: cpuMs(pid) - before, requests };
}

/** How many requests were answered. */
async function throughput(port: number, ms: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const until = performance.now() + ms;
  let answered = 0;
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      http
        .get({ port, host: '127.0.0.1', agent }, (response) => response.resume().once('end', resolve))
        .once('error', reject);
    });
  const user = async (): Promise<void> => {
    while (performance.now() < until) {
      await ask();
      answered++;
    }
  };
  await Promise.all(Array.from({ length: 20 }, user));
  agent.destroy();
  return answered;
}

/** Of one core, while nothing but measuring is to be done. */
async function daemonShare(): Promise<number> {
  await using rig = await Rig.create();
  const services = Object.fromEntries(
    Array.from({ length: SERVICES }, (_, index) => [
      `s${index}`,
      // A tenth of them in Node.js, whose preloads are asked.
      index % 10 === 0 ? { script: app('serves-http.cjs') } : { command: ['sleep', '100000'] },
    ]),
  );
  await rig.up(services);
  const { pid } = await rig.client.call('daemon');
  await sleep(3000);
  const before = cpuMs(pid);
  await sleep(IDLE_MS);
  return (cpuMs(pid) - before) / IDLE_MS;
}

/** Of all its threads. */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e6;
}

/** By the real writer: samples every ten seconds, and an outage every hour. */
function yearOfOne(): number {
  const home = mkdtempSync(join(tmpdir(), 'upkeep-year-'));
  try {
    const folder = join(home, 'history');
    mkdirSync(folder);
    const path = join(folder, 'api');
    const slow = new SlowRequests({ home, onInternalError: (error) => assert.fail(error as Error) });
    const latency = Array.from({ length: BUCKETS }, () => 9);
    const rest = {
      seconds: 10,
      cpuPercent: 1,
      rssBytes: 1e8,
      heapBytes: 1e7,
      loopMaxMs: 3,
      requests: 9,
      errors: 0,
      latency,
      probes: { count: 2, meanMs: 3, maxMs: 4 },
    };
    const file = new HistoryFile(`${path}.jsonl`);
    const start = 1_767_225_600;
    for (let at = start; at < start + YEAR_S; at += 10) {
      writeThrough(path, { ...rest, at }, at - 10);
      if (at % 3600 === 0) file.append(outage(at * 1000));
      if (at % 100 === 0) slow.note('api', [slowerAndSlower(at)], at * 1000);
    }
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  } finally {
    rmSync(home, { recursive: true });
  }
}

/** Each of an hour is slower than the one before it, so it is kept. */
function slowerAndSlower(at: number): SlowRequest {
  return { at: at * 1000, method: 'GET', path: '/reports/of/the/year', status: 200, ms: 10 + (at % 3600) };
}

function outage(t: number): Parameters<HistoryFile['append']>[0] {
  const words = 'ended by SIGKILL, not sent by upkeep';
  return [
    { k: 'fault', t, heard: t + 3, i: 0, a: 1, kind: 'crash', words },
    { k: 'level', t, to: 'down' },
    { k: 'restart', t: t + 5, i: 0, a: 2 },
    { k: 'level', t: t + 400, to: 'up' },
  ];
}

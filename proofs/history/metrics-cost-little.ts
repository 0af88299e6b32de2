/**
 * What being measured costs: processor time for a request and memory of a server with and without the metrics of the preload, the
 * daemon's time for 300 services every ten seconds, and the disk for a year of 50 services.
 *
 * A server whose processor is the limit answers as many requests as its time for each of them allows: so that time is compared, which
 * other work on the machine changes less than it changes a throughput.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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
import { app, Rig } from '../../test/rig/index.js';
import { PreloadHost, type ControlConnection } from '../../test/rig/preload-host.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const ROUNDS = Math.max(4, Math.round(30 * scale));
const ROUND_MS = scale < 0.2 ? 400 : 2000;
const SERVICES = Math.max(20, Math.round(300 * scale));
const IDLE_MS = scale < 0.2 ? 12_000 : 120_000;
const YEAR_S = Math.round(365 * 86_400 * Math.min(1, scale));
const KEPT = 50;
const MOST_BYTES = PACES.reduce((sum, { slots }) => sum + slots * SAMPLE_BYTES, 0) + 2 * MAX_FILE_BYTES;
const [RATIO, MEMORY_BYTES, CORE_SHARE] = [0.97, 5 * 1024 ** 2, 0.01];

const { ratio, addedBytes } = await overhead();
console.log(
  `processor time for a request without metrics / with: ${ratio.toFixed(3)} (of ${ROUNDS} pairs together)`,
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

/** Two servers in one run, asked in turn: whatever else the machine does, it does to both. */
async function overhead(): Promise<{ ratio: number; addedBytes: number }> {
  await using preload = new PreloadHost();
  const start = async (): Promise<{ port: number; pid: number; control: ControlConnection }> => {
    const { port } = preload.hold('::');
    const attempt = preload.start(['node', app('serves-http.cjs')], { env: { PORT: String(port) } });
    await attempt.untilSaid(/^listening/);
    return { port, pid: attempt.pid, control: await attempt.control() };
  };
  const [plain, measured] = [await start(), await start()];
  await measured.control.ask({ do: 'metrics' });
  for (const { port } of [plain, measured, plain, measured]) await throughput(port, ROUND_MS);
  const used = new Map([plain, measured].map(({ pid }) => [pid, { ms: 0, answered: 0 }]));
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [plain, measured] : [measured, plain];
    for (const { port, pid } of order) {
      const before = cpuMs(pid);
      used.get(pid)!.answered += await throughput(port, ROUND_MS);
      used.get(pid)!.ms += cpuMs(pid) - before;
    }
    await measured.control.ask({ do: 'metrics' });
  }
  const addedBytes = privateBytes(measured.pid) - privateBytes(plain.pid);
  plain.control.close();
  measured.control.close();
  const [plainMs, measuredMs] = [plain, measured].map(
    ({ pid }) => used.get(pid)!.ms / used.get(pid)!.answered,
  );
  return { ratio: plainMs! / measuredMs!, addedBytes };
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

function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = ['Private_Clean', 'Private_Dirty'].map((key) =>
    Number(new RegExp(`${key}: +(\\d+)`).exec(text)?.[1]),
  );
  return kilobytes.reduce((sum, value) => sum + value, 0) * 1024;
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

function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** By the real writer: samples every ten seconds, and an outage every hour. */
function yearOfOne(): number {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-year-'));
  try {
    const path = join(folder, 'api');
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
    };
    const file = new HistoryFile(`${path}.jsonl`);
    const start = 1_767_225_600;
    for (let at = start; at < start + YEAR_S; at += 10) {
      writeThrough(path, { ...rest, at }, at - 10);
      if (at % 3600 === 0) file.append(outage(at * 1000));
    }
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
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

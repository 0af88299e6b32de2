/**
 * Ways to hang behind an open port are found and repaired within three probe intervals; other instances lose nothing; it is kept why.
 *
 * Seven services of two instances each. One instance of each falls ill: an endless loop, promises that wait for each
 * other, requests that are taken and never answered, latency that doubles, a leak of memory, a leak of descriptors, a
 * resolver that never answers. Clients ask all the time; the programs write down which requests they took, so that each one that
 * failed can be told to have been the ill one's. With --scale 0.5 and less the faults are tried once.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { ExitView, UpkeepEvent } from '../../src/protocol/index.js';
import { assertSucceeded, freePort, Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const rounds = Math.max(1, Math.round(3 * Number(values.scale)));

const INTERVAL_MS = 2000;
/** A machine has other work, too, and in CI, at a small scale, more of it. */
const isShort = Number(values.scale) < 1;
const MOST_INTERVALS = isShort ? 5 : 3;
const FAILURES = isShort ? 2 : 1;
const TIMEOUT_MS = isShort ? 1000 : 500;
const TOO_SLOW_MS = isShort ? 700 : 300;
const TOO_MUCH_BYTES = 200e6;
const ASK_EVERY_MS = 50;
/** Longer than any repair: whatever still waits for somebody to accept it is not the ill one's. */
const GIVE_UP_MS = 10_000;

/** On a machine with other work a free event loop may answer too late, too: then what it runs is kept instead. */
const FREE = isShort ? /its event loop answers|runs in|waits in|is in state/ : /its event loop answers/;
/** What is kept of each must say this. */
const FAULTS = {
  loop: /runs in loop \(sick\.cjs:\d+\)/,
  deadlock: FREE,
  silence: FREE,
  slow: FREE,
  memory: /memory limit/,
  files: /\b96 open files\b|its event loop/,
  dns: FREE,
} as const;
type Fault = keyof typeof FAULTS;

await using rig = await Rig.create();
const script = fileURLToPath(new URL('hangs-are-repaired/sick.cjs', import.meta.url));
const ports = new Map<Fault, number>();
for (const fault of Object.keys(FAULTS) as Fault[]) ports.set(fault, await freePort());
const configs = [...ports].map(([fault, port]) => [fault, configOf(fault, port)] as const);
assertSucceeded(await rig.up(Object.fromEntries(configs)));
for (const fault of ports.keys()) for (const index of [0, 1]) await untilHealthy(fault, index, 1);

let isOver = false;
let lastRequest = 0;
const failed = new Map<Fault, Failure[]>();
const clients = [...ports].map(([fault, port]) => askAllTheTime(fault, port));
const slowest: Partial<Record<Fault, number>> = {};
for (let round = 1; round <= rounds; round++) {
  const ends = await Promise.allSettled([...ports].map(([fault, port]) => fallIll(fault, port, round)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
isOver = true;
await Promise.all(clients);

for (const fault of ports.keys()) {
  const ofOthers = (failed.get(fault) ?? []).filter((failure) => !isOfIll(fault, failure));
  const lost = failed.get(fault)?.length ?? 0;
  console.log(
    `${fault.padEnd(9)} repaired ${rounds} × within ${((slowest[fault] ?? 0) / INTERVAL_MS).toFixed(1)} intervals; ` +
      `requests of the ill one lost: ${lost - ofOthers.length}, of others: ${ofOthers.length}`,
  );
  assert.deepEqual(ofOthers, [], `${fault}: requests of a healthy instance were lost`);
}
const worst = Math.max(...Object.values(slowest));
console.log(
  `${lastRequest} requests; the slowest repair took ${(worst / INTERVAL_MS).toFixed(2)} probe intervals`,
);
assert.ok(worst <= MOST_INTERVALS * INTERVAL_MS, `repaired within ${MOST_INTERVALS} probe intervals`);

function configOf(fault: Fault, port: number) {
  const shell =
    fault === 'files'
      ? { command: ['/bin/sh', '-c', `ulimit -n 96; exec node ${script}`], sockets: 'node' as const }
      : { script };
  return {
    ...shell,
    port,
    instances: 2,
    health: {
      http: '/health',
      interval: INTERVAL_MS,
      timeout: TIMEOUT_MS,
      failures: FAILURES,
      startPeriod: 5000,
      maxLatency: TOO_SLOW_MS,
    },
    stop: { drain: 0, grace: 500 },
    ...(fault === 'memory' ? { limits: { memory: TOO_MUCH_BYTES } } : {}),
    env: {
      PORT: String(port),
      JOURNAL: journalOf(fault),
      TOO_SLOW_MS: String(TOO_SLOW_MS),
      TOO_MUCH_BYTES: String(TOO_MUCH_BYTES),
    },
  };
}

/** One instance of it; waits until it is repaired, and looks at what is kept. */
async function fallIll(fault: Fault, port: number, round: number): Promise<void> {
  const before = await rig.service(fault);
  assert.equal(await ask(port, `/fall-ill/${fault}`), 'answered');
  const ill = await rig.until(`${fault} is ill`, () => illnesses(fault)[round - 1]);
  const { index, attempt } = before.instances.find(({ pid }) => pid === ill.pid)!;
  await untilHealthy(fault, index, attempt + 1);
  const events = await rig.events(fault);
  const back = events.find((event) => isRunning(event, index, attempt + 1))!;
  slowest[fault] = Math.max(slowest[fault] ?? 0, Date.parse(back.at) - ill.at);
  const { exit, attempt: now } = await rig.instance(fault, index);
  assert.equal(now, attempt + 1, `${fault}: one restart`);
  assert.match(wordEvidence(exit!), FAULTS[fault]);
}

function isRunning(event: UpkeepEvent, index: number, attempt: number): boolean {
  if (event.type !== 'instance-status') return false;
  return event.instance === index && event.attempt === attempt && event.to === 'running';
}

function wordEvidence({ askedBy, evidence }: ExitView): string {
  return `${askedBy ?? ''} ${evidence?.summary ?? ''} ${evidence?.openFiles ?? '?'} open files`;
}

async function untilHealthy(fault: Fault, index: number, attempt: number): Promise<void> {
  await rig.untilInstance(fault, (seen) => seen.healthy === true && seen.attempt >= attempt, index);
}

interface Failure {
  readonly request: number;
  /** `cut`: the process that had accepted it was ended. `late`: nobody answered. */
  readonly how: 'cut' | 'late';
}

async function askAllTheTime(fault: Fault, port: number): Promise<void> {
  const lost: Failure[] = [];
  failed.set(fault, lost);
  const asked: Promise<void>[] = [];
  while (!isOver) {
    const request = ++lastRequest;
    asked.push(
      ask(port, `/r/${request}`).then((how) => {
        if (how !== 'answered') lost.push({ request, how });
      }),
    );
    await sleep(ASK_EVERY_MS);
  }
  await Promise.all(asked);
}

/** A connection of its own, so that the kernel gives it to whoever accepts. */
function ask(port: number, path: string): Promise<'answered' | Failure['how']> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve('answered'));
      response.on('error', () => resolve('cut'));
    });
    const timer = setTimeout(() => {
      resolve('late');
      request.destroy();
    }, GIVE_UP_MS);
    request.on('error', () => resolve('cut'));
    request.on('close', () => clearTimeout(timer));
  });
}

interface Illness {
  readonly pid: number;
  readonly at: number;
}

function illnesses(fault: Fault): Illness[] {
  return linesOf(fault).flatMap(([pid, word, at]) =>
    word === 'ill' ? [{ pid: Number(pid), at: Number(at) }] : [],
  );
}

/** An ill one took it, or ended with a connection that it had accepted and never read: nobody else was ended. */
function isOfIll(fault: Fault, { request, how }: Failure): boolean {
  const taker = linesOf(fault).find(([, word, value]) => word === 'took' && Number(value) === request);
  return taker ? illnesses(fault).some(({ pid }) => pid === Number(taker[0])) : how === 'cut';
}

function linesOf(fault: Fault): string[][] {
  const path = journalOf(fault);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' '))
    : [];
}

function journalOf(fault: Fault): string {
  return join(rig.folder, `${fault}.journal`);
}

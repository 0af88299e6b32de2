/**
 * A receiver that fails, hangs, refuses and comes back, and a daemon that is killed 20 times meanwhile: every crash is told.
 *
 * Each of 300 services crashes once. Whatever the receiver took is compared with what has ended: none is missing, and what came
 * twice has the same id and says that it may have arrived before.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../src/config/index.js';
import type { Notice } from '../../src/protocol/index.js';
import { Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const rounds = Math.max(3, Math.round(20 * scale));
const IN_A_ROUND = 15;
const MANNERS = ['takes', 'fails', 'hangs', 'takes', 'refuses'] as const;
const MANNER_MS = 700;
const DELIVERED_WITHIN_MS = 400_000;
const FAILS = { command: ['/bin/sh', '-c', 'exit 7'], restart: 'never' } as const;

let manner: (typeof MANNERS)[number] = 'takes';
const taken: Notice[] = [];
let [failed, hung] = [0, 0];
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    if (manner === 'hangs') return void hung++;
    if (manner === 'fails') failed++;
    else taken.push(JSON.parse(text) as Notice);
    response.writeHead(manner === 'fails' ? 500 : 200).end();
  });
});
const port = await open(server, 0);
const alternating = setInterval(() => void alternate(), MANNER_MS);

const startedAt = performance.now();
await using rig = await Rig.create();
const names: string[] = [];
for (let round = 0; round < rounds; round++) {
  const batch = Array.from({ length: IN_A_ROUND }, (_, index) => `crashes-${round}-${index}`);
  names.push(...batch);
  const { id } = await rig.accept({ kind: 'up', services: await specsOf(batch) });
  await sleep(Math.random() * 300);
  await rig.crashDaemon();
  await rig.untilAnswering();
  await rig.ended(id);
}
const ended = await rig.until('all have ended', async () => {
  const services = await rig.client.call('services');
  const over = services.filter(({ instances }) => instances.every(({ status }) => status === 'completed'));
  return over.length === names.length && over;
});
clearInterval(alternating);
manner = 'takes';
if (!server.listening) await open(server, port);
const nothingWaits = async (): Promise<boolean> => (await rig.client.call('alerts'))[0]!.pending === 0;
await rig.until('nothing waits', nothingWaits, DELIVERED_WITHIN_MS);
const seconds = (performance.now() - startedAt) / 1000;
server.closeAllConnections();
server.close();

const crashes = taken.filter(({ kind }) => kind === 'crash');
const told = new Map<string, Set<string>>();
for (const { service, id } of crashes) told.set(service!, (told.get(service!) ?? new Set()).add(id));
const missing = names.filter((name) => !told.has(name));
const twice = [...told.values()].filter((ids) => ids.size > 1).length;
const first = new Set<string>();
let [repeated, unmarked] = [0, 0];
for (const { id, isRepeated } of taken) {
  if (first.has(id)) repeated++;
  if (first.has(id) && !isRepeated) unmarked++;
  first.add(id);
}
console.log(
  `${ended.length} services crashed once each, the daemon was killed ${rounds} times, in ${seconds.toFixed(0)} s`,
);
console.log(`the receiver took ${taken.length} notices, failed ${failed} and hung in ${hung}`);
console.log(
  `crashes that were not told: ${missing.length}; told as two: ${twice}; came once more: ${repeated}, ` +
    `${unmarked} of them without saying so`,
);
assert.deepEqual([missing, twice, unmarked], [[], 0, 0]);

async function specsOf(batch: readonly string[]) {
  const alerts = { ops: { webhook: `http://127.0.0.1:${port}/`, on: ['crash'] } };
  const services = Object.fromEntries(batch.map((name) => [name, FAILS]));
  const file = rig.write(`${batch[0]!}.json`, JSON.stringify({ alerts, services }));
  const loaded = await loadConfig(file, { shellEnv: rig.env });
  assert.ok(loaded.ok);
  return [...loaded.services];
}

async function alternate(): Promise<void> {
  manner = MANNERS[(MANNERS.indexOf(manner) + 1 + Math.floor(Math.random() * 4)) % MANNERS.length]!;
  if (manner === 'refuses') {
    server.close();
    server.closeAllConnections();
  } else if (!server.listening) await open(server, port);
}

function open(to: Server, on: number): Promise<number> {
  return new Promise((resolve) =>
    to.listen(on, '127.0.0.1', () => resolve((to.address() as AddressInfo).port)),
  );
}

/**
 * Among five kinds of errors that are always there exactly the new one is told, within 10 s, and nothing where there is none.
 *
 * Twenty services (at scale 1) have a new kind of error three times, twenty others have none; all of them print five kinds once a
 * second with other ids each time. A mark is set when these are known. Then it is asked what is new.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../src/config/index.js';
import type { ErrorKindDetail, UpkeepEvent } from '../../src/protocol/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const runs = Math.max(3, Math.round(20 * Number(values.scale)));
const NORMAL = 5;
/** What the new kinds have in their titles, by name. */
const NEW: Readonly<Record<string, { readonly title: RegExp; readonly hasStack: boolean }>> = {
  place: { title: /^TypeError: Cannot read properties/, hasStack: true },
  type: { title: /^RangeError: duplicate key/, hasStack: true },
  line: { title: /lost the connection to/, hasStack: false },
  json: { title: /^queue .* is full/, hasStack: false },
  cause: { title: /^Error: checkout .* failed/, hasStack: true },
};
const TOLD_MS = 10_000;
const BOOT_MS = 120_000;
const MAX_FALSE = 2;

await using rig = await Rig.create();
const names = Object.keys(NEW);
const script = fileURLToPath(new URL('new-kinds-are-told/app.cjs', import.meta.url));
const go = `${rig.folder}/app/go`;
const services: Record<string, ServiceConfig> = {};
for (let run = 0; run < runs; run++) {
  services[`new-${run}`] = { script, ports: [], env: { GO: go, NEW: names[run % names.length]! } };
  services[`old-${run}`] = { script, ports: [], env: { GO: go } };
}
assertSucceeded(await rig.up(services));
await rig.until('all know their five kinds', async () => (await countOfKnown()) === 2 * runs, BOOT_MS);
const { seq } = (await rig.events()).at(-1)!;
await rig.client.call('mark', { body: { services: [], text: 'release' } });
const told = followEvents(seq);
rig.write('go', '');
await rig.until('each new kind was counted three times', async () => (await complete()) === runs, BOOT_MS);
await sleep(TOLD_MS); // what is wrong would be told by now
told.abort.abort();
await told.ended;

let rightRuns = 0;
let falseAlarms = 0;
const latencies: number[] = [];
for (let run = 0; run < runs; run++) {
  falseAlarms += (await newKinds(`old-${run}`)).length;
  const name = names[run % names.length]!;
  const { title, hasStack } = NEW[name]!;
  const kinds = await newKinds(`new-${run}`);
  const meant = kinds.filter((kind) => title.test(kind.title));
  falseAlarms += kinds.length - meant.length;
  const event = told.events.find((one) => one.service === `new-${run}` && one.id === meant[0]?.id);
  const latency = event && meant[0] ? Date.parse(event.at) - Date.parse(meant[0].firstSeenAt) : Infinity;
  latencies.push(latency);
  const frames = meant[0]?.sample?.lines.filter((line) => /^\s+at .*app\.cjs/.test(line)) ?? [];
  const isRight =
    kinds.length === 1 && meant[0]?.count === 3 && latency <= TOLD_MS && (!hasStack || frames.length > 0);
  if (isRight) rightRuns++;
  else
    console.log(
      `  new-${run} (${name}): ${JSON.stringify(kinds.map(({ title: text, count }) => [text, count]))}, told after ${latency} ms`,
    );
}
latencies.sort((a, b) => a - b);
const ofAll = await rig.client.call('errors', { query: {} });
console.log(
  `${runs} services with a new kind of error, ${runs} without, ${NORMAL} kinds in each all the time`,
);
console.log(`told exactly the new kind, with stack and count 3: ${rightRuns} of ${runs}`);
console.log(`told after ${latencies[Math.floor(runs / 2)]} ms (median), ${latencies.at(-1)} ms at most`);
console.log(
  `false alarms: ${falseAlarms}; bytes that were not looked at: ${ofAll.services.reduce((sum, one) => sum + one.skippedBytes, 0)}`,
);
assert.equal(rightRuns, runs);
assert.ok(falseAlarms <= MAX_FALSE, `${falseAlarms} false alarms`);
assertTypesStayApart();

/** By the kinds of one service: a type never stands with another one under one id. */
function assertTypesStayApart(): void {
  const types = new Map<string, string | null>();
  for (const { id, type } of ofAll.kinds) {
    assert.equal(types.get(id) ?? type, type, `${id} has two types`);
    types.set(id, type);
  }
}

async function countOfKnown(): Promise<number> {
  const { kinds } = await rig.client.call('errors', { query: {} });
  const often = new Map<string, number>();
  for (const { service, count } of kinds) if (count >= 2) often.set(service, (often.get(service) ?? 0) + 1);
  return [...often.values()].filter((count) => count === NORMAL).length;
}

async function complete(): Promise<number> {
  const { kinds } = await rig.client.call('errors', { query: { new: '1' } });
  return kinds.filter(({ service, count }) => service.startsWith('new-') && count >= 3).length;
}

async function newKinds(service: string): Promise<ErrorKindDetail[]> {
  const { kinds } = await rig.client.call('errors', { query: { new: '1', service } });
  const details = kinds.map(({ id }) => rig.client.call('errorKind', { params: { id }, query: { service } }));
  return (await Promise.all(details)).flat();
}

type Told = Extract<UpkeepEvent, { type: 'error-kind-new' }>;

function followEvents(after: number): { events: Told[]; abort: AbortController; ended: Promise<void> } {
  const abort = new AbortController();
  const events: Told[] = [];
  const follow = async (): Promise<void> => {
    const query = { limit: '0', follow: '1' };
    for await (const event of rig.client.stream('events', { query, signal: abort.signal }))
      if (event.type === 'error-kind-new' && event.seq > after) events.push(event);
  };
  return { events, abort, ended: follow() };
}

/** A thousand random histories of commands, crashes and dead daemons end in the state that the model predicts. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Rig } from '../../test/rig/index.js';
import { prefix, randomHistory, wordHistory, type History } from './histories/history.js';
import { World } from './histories/world.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
});
const HISTORIES = Math.max(10, Math.round(1000 * Number(values.scale)));
const FIRST_SEED = Number(values.seed);
/** At a time, on one daemon. */
const BATCH = 20;
/** Chance has a part in it: a shorter history is tried so often before it counts as harmless. */
const TRIES = 3;

interface Outcome {
  readonly differences: ReadonlyMap<History, readonly string[]>;
  readonly operations: number;
  readonly deaths: number;
}

const startedAt = performance.now();
const sum = { histories: 0, operations: 0, deaths: 0 };
for (let done = 0; done < HISTORIES && process.exitCode === undefined; done += BATCH) {
  const seeds = Array.from(
    { length: Math.min(BATCH, HISTORIES - done) },
    (_, index) => FIRST_SEED + done + index,
  );
  const { differences, operations, deaths } = await liveTogether(seeds);
  for (const [history, found] of differences) await report(history, found);
  sum.histories += seeds.length;
  sum.operations += operations;
  sum.deaths += deaths;
  console.log(`${sum.histories} histories, ${seconds()} s`);
}
const verdict = process.exitCode === undefined ? 'each ended as modelled' : 'NOT all ended as modelled';
console.log(
  `${sum.histories} histories, ${sum.operations} operations, ${sum.deaths} daemons ended, ${seconds()} s: ${verdict}`,
);

function liveTogether(seeds: readonly number[]): Promise<Outcome> {
  return liveOn((marks) => seeds.map((seed) => randomHistory(seed, marks)));
}

async function liveOn(create: (marks: string) => History[]): Promise<Outcome> {
  await using rig = await Rig.create();
  using world = new World(rig);
  const histories = create(world.marks);
  await Promise.all(histories.map((history) => world.live(history)));
  const differences = await world.differences(histories).catch((error: unknown) => {
    console.log(readFileSync(rig.home.log, 'utf8').split('\n').slice(-30).join('\n'));
    throw error;
  });
  for (const history of differences.keys()) await tell(rig, history);
  return { differences, operations: world.operations, deaths: world.deaths };
}

/** What the daemons did to the services of a history. */
async function tell(rig: Rig, { services }: History): Promise<void> {
  for (const name of services) {
    console.log(`\n${name}`);
    for (const event of await rig.events(name)) console.log(`  ${JSON.stringify(event)}`);
    for (const { index, status, attempt, exit } of (await rig.client.call('services')).find(
      (view) => view.name === name,
    )?.instances ?? [])
      console.log(`  instance ${index}: ${status}, attempt ${attempt}, ${exit?.reason ?? 'no exit'}`);
  }
}

async function report(history: History, found: readonly string[]): Promise<void> {
  process.exitCode = 1;
  console.log(`\nNOT AS MODELLED\n${wordHistory(history)}\n${found.map((words) => `  ${words}`).join('\n')}`);
  const shortest = await shrink(history);
  console.log(
    shortest
      ? `The shortest beginning that does it alone:\n${wordHistory(shortest)}\n`
      : 'Alone it does no harm\n',
  );
}

async function shrink(history: History): Promise<History | undefined> {
  const longest = Math.max(...history.clients.map((turns) => turns.length));
  for (let length = 1; length <= longest; length++) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { differences } = await liveOn((marks) => [prefix(randomHistory(history.seed, marks), length)]);
      if (differences.size > 0) return prefix(history, length);
    }
  }
  return undefined;
}

function seconds(): string {
  return ((performance.now() - startedAt) / 1000).toFixed(1);
}

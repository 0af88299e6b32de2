/**
 * 100,000 restarts and 10,000 commands: the slope of the daemon's memory is next to zero, and whatever it has open or on disk has a bound.
 *
 * 30 services are killed, restarted and reloaded, as fast as it goes: with ports and without, of Node and of the shell,
 * with checks, watches, a schedule, limits, much output, children that are left behind, clients that leave. Beside
 * them two commands run at a time. Four hundred times the private memory of the daemon is read, and everything that could
 * grow is counted. It holds where, after a third of the way, zero lies within the interval of the slope (95 %) or the
 * slope makes less than 2 MB of all restarts, and the upper end of the interval less than 8 MB: 84 bytes for each; and
 * where at rest nothing is open, and no folder of an attempt is there, that was not there at first; of folders that are watched for
 * changes there may be one for each service.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { assertSucceeded, Rig, until } from '../../test/rig/index.js';
import { Client } from '../../src/client/index.js';
import { createParts, CRASHER } from './memory-stays-flat/cast.js';
import { count, descriptorsOf, findHousehold, type Census } from './memory-stays-flat/census.js';
import { Commands } from './memory-stays-flat/commands.js';
import { News } from './memory-stays-flat/news.js';
import { DEFAULT_LOGS, type SampleView } from '../../src/protocol/index.js';
import { restartAgainAndAgain } from './memory-stays-flat/restarts.js';
import { findSlope } from './memory-stays-flat/slope.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const restarts = Math.max(1000, Math.round(100_000 * scale));
const commands = Math.max(100, Math.round(10_000 * scale));
const SAMPLES = 400;
const COMMANDS_AT_A_TIME = 2;
/** Restarts and commands go together, and end together. */
const LEAD = 0.01;
/** Until then histories are filled that have a bound, and V8 compiles. */
const WARM_UP = 1 / 3;
/** Fewer are over before that. */
const LEAST_JUDGED = 50_000;
/** Over all restarts: less is taken for zero. The whole interval has to be below the second, or a leak could hide in it. */
const ZERO_KB = 2048;
const HIDDEN_KB = 8192;
const HELPER_KB = 100;
/** At most, until what the restarts have set off is over. */
const REST_MS = 30_000;

const MiB = 1024 ** 2;
/** Of each file or folder in the home, bytes; one more line may be in it. */
const MOST_BYTES: Readonly<Record<string, number>> = {
  'events.jsonl': 4 * MiB,
  'events.jsonl.1': 4 * MiB,
  'operations.jsonl': 9 * MiB,
  'daemon.log': 5 * MiB,
  'daemon.log.1': 5 * MiB,
  run: MiB,
  'state.json': MiB,
};
/** Of one service: its cap, and what is just being compressed. */
const MOST_LOG_BYTES = DEFAULT_LOGS.maxTotalBytes + MiB;
/** Its folder, journal and mark, and what its preload opens. */
const MOST_FILES_OF_ATTEMPT = 6;
const MOST_FILES = 16;
/** Of its history (2), samples at three paces, slowest requests (2), exits (2) and errors; those of the guests of the commands are kept, too. */
const MOST_FILES_OF_SERVICE = 12;
const MOST_LOG_FILES = 2 * 2 * (DEFAULT_LOGS.maxFiles + 1) + 4;

await using rig = await Rig.create();
const parts = await createParts((name, text) => rig.write(name, text));
const names = parts.map(({ name }) => name);
assertSucceeded(await rig.up(Object.fromEntries(parts.map(({ name, config }) => [name, config]))));
const household = await findHousehold(rig);
const before = await countAtRest();
const client = new Client(() => dial(rig.home.socket));
const startedAt = performance.now();
const samples: Census[] = [];
let commandsDone = 0;
let failure: Error | undefined;
{
  await using news = new News(client, names);
  const isDone = (): boolean => news.exits >= restarts && commandsDone >= commands;
  const isOver = (): boolean => failure !== undefined || isDone();
  const lead = (): number => news.exits / restarts - commandsDone / commands;
  const mayGoOn = (): boolean => news.exits < restarts && lead() < LEAD;
  const works = [
    ...parts.map((part) => restartAgainAndAgain(rig, part, { client, news, mayGoOn, isOver })),
    ...Array.from({ length: COMMANDS_AT_A_TIME }, (_, worker) => giveCommands(worker, isOver, lead)),
    takeSamples(() => news.exits, isOver),
  ];
  await Promise.all(works.map((work) => work.catch((error: unknown) => void (failure ??= error as Error))));
}
if (failure) throw failure;
const all = await rig.client.call('services');
const restarted = all.reduce((sum, service) => sum + service.restarts, 0); // a stop begins to count anew
const guests = all.map(({ name }) => name).filter((name) => !names.includes(name));
if (guests.length > 0) assertSucceeded(await rig.request({ kind: 'delete', services: guests }));
const after = await countAtRest(before);

const problems: string[] = [];
const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
console.log(
  `${restarted} restarts of ${parts.length} services and ${commandsDone} commands in ${minutes} minutes`,
);
reportMemory();
for (const what of ['descriptors', 'watches'] as const) reportOpen(what);
reportHelpers();
reportHome();
const cpuPerRestartMs = (after.daemon.cpuMs - before.daemon.cpuMs) / restarted;
console.log(
  `processor time of the daemon: ${cpuPerRestartMs.toFixed(1)} ms a restart, a tenth of a command with it`,
);
if (restarted < restarts) problems.push(`only ${restarted} restarts`);
assert.deepEqual(problems, []);

async function giveCommands(worker: number, isOver: () => boolean, lead: () => number): Promise<void> {
  const own = new Commands(rig, worker, names);
  const mayGoOn = (): boolean => commandsDone < commands && lead() > -LEAD;
  for (;;) {
    await until('a command may run', () => mayGoOn() || isOver(), Infinity);
    if (isOver()) return;
    await own.next();
    commandsDone++;
  }
}

async function takeSamples(exits: () => number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const next = (samples.length * restarts) / SAMPLES;
    await until('it is time for a sample', () => exits() >= next || isOver(), Infinity);
    samples.push(count(household, rig.home.path, exits()));
    if (samples.length % (SAMPLES / 20) === 0) tellProgress(samples.at(-1)!);
  }
}

/**
 * The least of some time: a log that is still searched for errors is open. `goal`: no need to look on where it is no more
 * than that. One that ends by itself again and again, and writes each time, is no rest.
 */
async function countAtRest(goal?: Census): Promise<Census> {
  assertSucceeded(await rig.request({ kind: 'stop', services: [CRASHER] }));
  await untilMeasured();
  const counts: Census[] = [];
  const begunAt = performance.now();
  const mostMs = goal ? REST_MS : 3000;
  const look = (): boolean => {
    const now = count(household, rig.home.path, 0);
    counts.push(now);
    const isReached = goal !== undefined && byMost(now, goal) <= 0;
    return isReached || performance.now() - begunAt > mostMs;
  };
  await until('it is at rest', look, Infinity);
  assertSucceeded(await rig.request({ kind: 'start', services: [CRASHER] }));
  return counts.toSorted(byMost)[0]!;
}

/** From its first measurement on the daemon has a connection to each process of Node. */
async function untilMeasured(): Promise<void> {
  const begunAt = Date.now();
  const ofNode = new Set(parts.flatMap(({ name, config }) => (config.script === undefined ? [] : [name])));
  const look = async (): Promise<boolean> => {
    const views = (await rig.client.call('samples')).filter(({ service }) => ofNode.has(service));
    const isNew = ({ at, heapBytes }: SampleView): boolean => heapBytes !== null && Date.parse(at) > begunAt;
    return views.length === ofNode.size && views.every(({ samples }) => samples.some(isNew));
  };
  await until('all processes of Node were measured', look, REST_MS);
}

function byMost(a: Census, b: Census): number {
  return a.daemon.descriptors - b.daemon.descriptors || a.home.attempts - b.home.attempts;
}

function reportMemory(): void {
  const judged = samples.slice(Math.floor(samples.length * WARM_UP));
  const points = judged.map((sample) => ({ x: sample.restarts, y: sample.daemon.privateKb }));
  const { low, middle, high } = findSlope(points);
  const values = points.map(({ y }) => y).sort((a, b) => a - b);
  const at = (share: number): string => mb(values[Math.floor((values.length - 1) * share)]!);
  console.log(
    `private memory of the daemon: ${mb(before.daemon.privateKb)} at first, then ${at(0.5)} ` +
      `(half of the time from ${at(0.25)} to ${at(0.75)}, ${at(1)} at most)`,
  );
  if (restarts < LEAST_JUDGED)
    return console.log(`slope: not judged below ${LEAST_JUDGED} restarts, while histories are being filled`);
  const [from, to] = [low, high].map((slope) => mb(slope * 100_000));
  console.log(`slope: ${mb(middle * 100_000)} in 100,000 restarts (with 95 % from ${from} to ${to})`);
  if (low > 0 && middle * restarts > ZERO_KB) problems.push('the private memory of the daemon grows');
  if (high * restarts > HIDDEN_KB)
    problems.push('the private memory of the daemon may grow: the interval is too wide');
}

function reportOpen(what: 'descriptors' | 'watches'): void {
  const [first, last] = [before.daemon[what], after.daemon[what]];
  const highest = Math.max(...samples.map(({ daemon }) => daemon[what]));
  console.log(`${what} of the daemon: ${first} before, ${last} after, ${highest} at most`);
  // The log of a service that is quiet is watched, that of one that writes is read: how many there are at first is a matter of seconds.
  const most = what === 'watches' ? Math.max(first, parts.length + 1) : first;
  if (last > most)
    problems.push(`${last - first} more ${what}: ${descriptorsOf(household.daemon).join(' ')}`);
}

function reportHelpers(): void {
  for (const helper of ['launcher', 'guardian'] as const) {
    const [first, last] = [before[helper], after[helper]];
    const kb = `${first.privateKb} KB before, ${last.privateKb} KB after`;
    console.log(`${helper}: ${kb}; descriptors: ${first.descriptors} before, ${last.descriptors} after`);
    if (last.privateKb > first.privateKb + HELPER_KB) problems.push(`the ${helper} grows`);
    if (last.descriptors > first.descriptors) problems.push(`the ${helper} has more descriptors`);
  }
}

function reportHome(): void {
  const homes = [...samples, after].map(({ home }) => home);
  const most = (measure: (home: Census['home']) => number): number => Math.max(...homes.map(measure));
  const bytes = Object.entries(MOST_BYTES).map(([name, limit]) => {
    const reached = most((home) => home.bytes.get(name) ?? 0);
    if (reached > limit) problems.push(`${name} has ${reached} bytes`);
    return `${name} ${mb(reached / 1024)}`;
  });
  const [logBytes, logFiles] = [most((home) => home.logBytes), most((home) => home.logFiles)];
  console.log(
    `files in the home outside of logs/: ${before.home.files} before, ${after.home.files} after, ` +
      `${most((home) => home.files)} at most; attempts: ${before.home.attempts} before, ${after.home.attempts} after`,
  );
  console.log(
    `at most: ${bytes.join(', ')}; logs of one service ${mb(logBytes / 1024)} in ${logFiles} files`,
  );
  if (after.home.attempts > before.home.attempts) problems.push('folders of attempts are left');
  const services = parts.length + COMMANDS_AT_A_TIME;
  const bound = MOST_FILES + after.home.attempts * MOST_FILES_OF_ATTEMPT + services * MOST_FILES_OF_SERVICE;
  if (after.home.files > bound) problems.push('files in the home become more');
  if (logBytes > MOST_LOG_BYTES || logFiles > MOST_LOG_FILES)
    problems.push('the logs of a service have no bound');
}

function tellProgress({ restarts: done, daemon, home }: Census): void {
  const soFar = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(
    `  ${soFar} min: ${done} restarts, ${commandsDone} commands; ${mb(daemon.privateKb)}, ` +
      `${daemon.descriptors} descriptors, ${daemon.watches} watches, ${home.files} files`,
  );
}

function mb(kb: number): string {
  return `${(kb / 1024).toFixed(1)} MB`;
}

function dial(path: string): ReturnType<ConstructorParameters<typeof Client>[0]> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', reject);
  });
}

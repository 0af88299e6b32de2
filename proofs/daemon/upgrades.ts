/**
 * Another version takes over from the daemon 20 times, under load: no application notices, nor when it fails to.
 *
 * Twenty services (Node, Python, shell; one and two instances; one crashes every two seconds) answer a steady small load,
 * and five of them log 1,000 lines a second, while two installations of different versions take over from each other.
 * Then versions that crash, hang, cannot read the state or die in the middle are tried: the one before goes on, and the
 * command says why.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { assertSucceeded, Installation, Rig } from '../../test/rig/index.js';
import { quantileMs } from '../port/support/figures.js';
import { doubled, pidsOf } from './support/census.js';
import { countLines } from './support/logged.js';
import { createCast, CRASHER } from './support/services.js';
import { SteadyLoad } from './support/steady-load.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const upgradeCount = Math.max(4, Math.round(20 * Number(values.scale)));
const LONGEST_PAUSE_MS = 3000;
const TIMEOUT = '5s';

const BAD = [
  {
    title: 'crashes at its start',
    before: /^/,
    after: 'throw new Error("no luck");',
    message: /did not become ready: it exited with code 1; its last words were:[^]*no luck/,
  },
  {
    title: 'hangs at its start',
    before: /^/,
    after: 'setInterval(() => {}, 1e6); await new Promise(() => {});',
    message: /did not become ready within 5s/,
  },
  {
    title: 'cannot read the state',
    before: 'STATE_FORMAT = 1',
    after: 'STATE_FORMAT = 0',
    message: /did not become ready: it exited with code 70;[^]*format 1, this version knows 0/,
  },
  {
    title: 'is killed when it has taken everything',
    before: 'await this.#api.listen',
    after: 'process.kill(process.pid, "SIGKILL"); await this.#api.listen',
    message: /did not take over: it was ended by SIGKILL/,
  },
] as const;

const { services, ports } = await createCast();
await using rig = await Rig.create();
assertSucceeded(await rig.up(services));
const before = pidsOf(await rig.client.call('services'), [CRASHER]);
const versions = ['7.7.7', '8.8.8'].map((version) => new Installation(rig, version, { version }));
const { guardian } = await rig.client.call('daemon');
await using load = new SteadyLoad(ports);
await load.until(100);

const tookMs: number[] = [];
let changed = 0;
for (let count = 0; count < upgradeCount; count++) {
  await delay(Math.random() * LONGEST_PAUSE_MS);
  tookMs.push(await upgradeOnce(versions[count % 2]!));
  changed += countChanged(pidsOf(await rig.client.call('services'), [CRASHER]));
}
for (const bad of BAD) {
  await failOnce(bad);
  changed += countChanged(pidsOf(await rig.client.call('services'), [CRASHER]));
}
await load.until(100);

const crashes = (await rig.service(CRASHER)).restarts;
const logged = await countLines(rig);
const figures = {
  upgrades: upgradeCount,
  'the command took': `median ${quantileMs(tookMs, 0.5)}, longest ${quantileMs(tookMs, 1)}`,
  'bad versions': `${BAD.length}, each refused with its reason`,
  [`pids of ${before.size} processes that changed`]: changed,
  'requests answered': load.answered,
  'requests failed': load.failures.length,
  'processes doubled': doubled(rig).length,
  'restarts of the service that crashes': crashes,
  'lines logged': logged.written,
  'lines lost, doubled, torn': [logged.lost, logged.doubled, logged.torn].join(', '),
};
for (const [what, figure] of Object.entries(figures)) console.log(`${what}: ${figure}`);
for (const failure of load.failures.slice(0, 10)) console.log(`  ${failure}`);

assert.equal((await rig.client.call('daemon')).guardian, guardian, 'one guardian all the time');
assert.equal(changed, 0, 'no process was touched');
assert.deepEqual(load.failures, [], 'no request failed');
assert.deepEqual(
  [logged.lost, logged.doubled, logged.torn],
  [0, 0, 0],
  'every line is in the log, once and whole',
);
assert.deepEqual(doubled(rig), [], 'nobody was started twice');
assert.ok(crashes > 0, 'the one that crashes was started again');

/** Answers how long the command took, milliseconds. */
async function upgradeOnce(next: Installation): Promise<number> {
  const previous = await rig.client.call('daemon');
  const startedAt = performance.now();
  const { code, stderr } = await next.cli('daemon', 'upgrade');
  const ms = performance.now() - startedAt;
  assert.equal(code, 0, stderr);
  const present = await rig.client.call('daemon');
  assert.notEqual(present.version, previous.version);
  await rig.until('the one before is gone', () => !rig.lives(previous.pid));
  return ms;
}

async function failOnce({ title, before: code, after, message }: (typeof BAD)[number]): Promise<void> {
  const daemon = await rig.client.call('daemon');
  const bad = new Installation(rig, title.replaceAll(' ', '-'), { version: '9.9.9' });
  bad.rewrite(code, after);
  const { code: exitCode, stderr } = await bad.cli('daemon', 'upgrade', '--timeout', TIMEOUT);
  assert.equal(exitCode, 5, title);
  assert.match(stderr, message);
  const { pid, version } = await rig.client.call('daemon');
  assert.deepEqual([pid, version], [daemon.pid, daemon.version], title);
  console.log(`a version that ${title}:\n  ${stderr.split('\n')[0]}`);
}

function countChanged(found: ReadonlyMap<string, number | null>): number {
  return [...before].filter(([instance, pid]) => found.get(instance) !== pid).length;
}

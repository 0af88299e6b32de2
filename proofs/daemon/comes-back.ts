/**
 * The daemon is killed 100 times at random moments, under load: it is back within a second, and no application notices.
 *
 * Twenty services (Node, Python, shell; one and two instances; one crashes every two seconds) answer a steady small load,
 * and five of them log 1,000 lines a second. While there is no daemon, one process is ended each time, by exit code or
 * signal: the next daemon has to report exactly that, and to start it again.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { assertSucceeded, Rig } from '../../test/rig/index.js';
import { quantileMs } from '../port/support/figures.js';
import { createCast, CRASHER, VICTIMS } from './support/services.js';
import { SteadyLoad } from './support/steady-load.js';
import { doubled, pidsOf } from './support/census.js';
import { countLines } from './support/logged.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const killCount = Math.max(5, Math.round(100 * Number(values.scale)));
const LONGEST_LIFE_MS = 6000;

/** How a process is ended, and what of it has to be reported. */
const ENDS = [
  { signal: 'SIGUSR2', code: 7, reported: null },
  { signal: 'SIGKILL', code: null, reported: 'SIGKILL' },
  { signal: 'SIGSEGV', code: null, reported: 'SIGSEGV' },
  { signal: 'SIGUSR2', code: 7, reported: null },
  { signal: 'SIGTERM', code: null, reported: 'SIGTERM' },
] as const;

const { services, ports } = await createCast();
await using rig = await Rig.create();
assertSucceeded(await rig.up(services));
const before = pidsOf(await rig.client.call('services'), [CRASHER, ...VICTIMS]);
const { guardian } = await rig.client.call('daemon');
await using load = new SteadyLoad(ports);
await load.until(100);

const awayMs: number[] = [];
let changed = 0;
for (let count = 0; count < killCount; count++) {
  await delay(Math.random() * LONGEST_LIFE_MS);
  awayMs.push(await killOnce(VICTIMS[count % VICTIMS.length]!, ENDS[count % ENDS.length]!));
  changed += differences(before, pidsOf(await rig.client.call('services'), [CRASHER, ...VICTIMS]));
}
await load.until(100);

const crashes = (await rig.service(CRASHER)).restarts;
const logged = await countLines(rig);
const figures = {
  'daemons killed': killCount,
  'answers again': `median ${quantileMs(awayMs, 0.5)}, 95 % ${quantileMs(awayMs, 0.95)}, longest ${quantileMs(awayMs, 1)}`,
  'exits without a daemon': `${killCount}, each reported with its exact status and time, and started again`,
  [`pids of ${before.size} other processes that changed`]: changed,
  'requests answered': load.answered,
  'requests failed': load.failures.length,
  'processes doubled': doubled(rig).length,
  'restarts of the one that crashes': crashes,
  'lines logged': logged.written,
  'lines lost, doubled, torn': [logged.lost, logged.doubled, logged.torn].join(', '),
};
for (const [what, figure] of Object.entries(figures)) console.log(`${what}: ${figure}`);
for (const failure of load.failures.slice(0, 10)) console.log(`  ${failure}`);

assert.equal((await rig.client.call('daemon')).guardian, guardian, 'one guardian all the time');
assert.equal(changed, 0, 'no other process was touched');
assert.deepEqual(load.failures, [], 'no request failed');
assert.deepEqual(
  [logged.lost, logged.doubled, logged.torn],
  [0, 0, 0],
  'every line is in the log, once and whole',
);
assert.deepEqual(doubled(rig), [], 'nobody was started twice');
// In CI, at a small scale, the machine has more to do than this.
if (Number(values.scale) >= 1)
  assert.ok(Number.parseInt(quantileMs(awayMs, 0.5), 10) < 1000, 'it is back within a second');
assert.ok(crashes > 0, 'the one that crashes was started again');

/** Ends the victim in the absence of the daemon; answers how long that was, milliseconds. */
async function killOnce(victim: string, end: (typeof ENDS)[number]): Promise<number> {
  const { pid, attempt } = await rig.untilInstance(victim, ({ status }) => status === 'running');
  const killedAt = performance.now();
  const wall = Date.now();
  await rig.crashDaemon();
  process.kill(pid!, end.signal);
  await rig.untilAnswering();
  const awayMs = performance.now() - killedAt;
  await rig.until(`${victim} is gone`, () => !rig.lives(pid!));
  const goneAt = Date.now();
  const { exit } = await rig.untilInstance(
    victim,
    (now) => now.attempt > attempt && now.status === 'running',
  );
  assert.deepEqual([exit?.attempt, exit?.code, exit?.signal], [attempt, end.code, end.reported], victim);
  const exitedAt = Date.parse(exit!.at);
  assert.ok(exitedAt >= wall && exitedAt <= goneAt, `${victim} ended at ${exit!.at}`);
  return awayMs;
}

function differences(
  expected: ReadonlyMap<string, number | null>,
  found: ReadonlyMap<string, number | null>,
): number {
  return [...expected].filter(([instance, pid]) => found.get(instance) !== pid).length;
}

/**
 * `upkeep logs -f` of 50 services prints each line within 100 ms (p99); nobody pays for it while nobody follows.
 *
 * Each line says when it was written. Without followers no log is open or watched by the daemon as a follower's would be: the
 * child that follows is gone, and the processor time of the daemon is that of before.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readCommand } from '../../src/system/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const isTimed = scale >= 0.5;
const services = Math.max(5, Math.round(50 * scale));
const seconds = Math.max(5, Math.round(60 * scale));
const MAX_P99_MS = 100;
const TICKS_PER_SECOND = 100;
/** Beyond what it was before somebody followed: this is noise of the machine. */
const NOISE_FACTOR = 1.5;
const NOISE_MS = 2;
/** Two lines a second, without a Node.js for each of them. */
const LOOP = 'while :; do echo "at $(date +%s%3N)"; sleep 0.5; done';

await using rig = await Rig.create();
const names = Array.from({ length: services }, (_, index) => `service-${index}`);
const loop = { command: ['/bin/sh', '-c', LOOP] };
assertSucceeded(await rig.up(Object.fromEntries(names.map((name) => [name, loop]))));
const { pid } = await rig.client.call('daemon');

const before = await idleShare();
const late: number[] = [];
const follower = rig.follow('logs', '-f', '-n', '0', '--json');
let seen = 0;
follower.process.stdout!.on('data', () => {
  const now = Date.now();
  for (; seen < follower.lines.length; seen++) late.push(now - writtenAt(follower.lines[seen]!));
});
await rig.until('it follows', () => late.length > services);
late.length = 0;
const [from, usedBefore] = [performance.now(), usedMs()];
await sleep(seconds * 1000);
const during = (usedMs() - usedBefore) / ((performance.now() - from) / 1000);
const sorted = late.toSorted((one, other) => one - other);
follower.process.kill('SIGINT');
await follower.ended;
await rig.until('nobody follows any more', () => followers() === 0);
const after = await idleShare();

const quantile = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
console.log(`${services} services, ${late.length} lines followed for ${seconds} s`);
console.log(
  `written to printed: median ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms`,
);
console.log(
  `processor time of the daemon: ${before.toFixed(1)} ms/s before, ${during.toFixed(1)} while one follows, ` +
    `${after.toFixed(1)} afterwards`,
);
assert.ok(late.length >= services * seconds, 'about two lines a second of each service');
if (isTimed) {
  assert.ok(quantile(0.99) < MAX_P99_MS, 'p99');
  assert.ok(after < before * NOISE_FACTOR + NOISE_MS, 'a follower that is gone costs the daemon time');
}

function writtenAt(line: string): number {
  return Number(/"lines":\["at (\d+)"\]/.exec(line)?.[1]);
}

/** Milliseconds of processor time a second, with nobody following. */
async function idleShare(): Promise<number> {
  assert.equal(followers(), 0);
  const [from, used] = [performance.now(), usedMs()];
  await sleep(seconds * 500);
  return (usedMs() - used) / ((performance.now() - from) / 1000);
}

function followers(): number {
  return rig.processes().filter((row) => readCommand(row.pid)?.includes('log-query.js')).length;
}

function usedMs(): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

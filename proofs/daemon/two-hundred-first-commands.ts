/** 200 `upkeep start` at the same time in a fresh home: one daemon, 200 services, none lost and none twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Rig, until } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const count = Math.max(10, Math.round(200 * Number(values.scale)));
const names = Array.from({ length: count }, (_, index) => `service-${String(index + 1).padStart(3, '0')}`);

await using rig = await Rig.create({ hasDaemon: false });

const startedAt = performance.now();
const watch = watchDaemons();
const commands = names.map((name) => rig.follow('start', 'sleep 1000000', '--name', name));
const outcomes = await Promise.all(commands.map(({ ended }) => ended));
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
const seen = await watch.end();

const failed = outcomes.filter(({ code }) => code !== 0);
for (const { code, stderr } of failed.slice(0, 5)) console.log(`exit code ${code}: ${stderr}`);
assert.equal(failed.length, 0, 'every command succeeds');

const daemon = await rig.client.call('daemon');
const starts = readFileSync(rig.home.log, 'utf8').match(/^\S+ daemon \S+ started, pid \d+$/gm)?.length;
assert.deepEqual([...seen], [daemon.pid], 'no other daemon was ever seen');
assert.equal(starts, 1, 'one start in daemon.log');

const services = await rig.client.call('services');
assert.deepEqual(services.map(({ name }) => name).sort(), names, 'none lost, none twice');
const instances = services.flatMap((service) => service.instances);
assert.ok(instances.every(({ status, attempt }) => status === 'running' && attempt === 1));
const pids = new Set(instances.map(({ pid }) => pid));
const sleepers = rig.processes().filter(({ name }) => name === 'sleep');
assert.deepEqual([pids.size, sleepers.length], [count, count], 'one process for each service');

console.log(`${count} first commands at once: ${count - failed.length} succeeded, in ${seconds} s`);
console.log(`daemons: ${seen.size} seen while they ran, ${starts} start in daemon.log`);
console.log(`services: ${services.length}, each on its first attempt; processes: ${sleepers.length}`);

/** Collects the pid of every process that ran the daemon's program with this home. */
function watchDaemons(): { end(): Promise<Set<number>> } {
  const pids = new Set<number>();
  let isOver = false;
  const look = (): void => {
    for (const { pid } of rig.processes()) if (isDaemon(pid)) pids.add(pid);
  };
  const watching = until('all commands have ended', () => (look(), isOver), Infinity);
  return {
    end: async () => {
      isOver = true;
      await watching;
      look();
      return pids;
    },
  };
}

/** Not the one that only tries the lock, and will become a daemon if it gets it. */
function isDaemon(pid: number): boolean {
  try {
    const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return program === process.execPath && args.some((arg) => arg.endsWith('dist/daemon.js'));
  } catch {
    return false; // it has ended
  }
}

/**
 * Two services write 10 MB/s each for ten minutes without any daemon: nothing blocks, and the disk does not fill.
 *
 * The daemon is killed with its guardian, and its Node.js removed: nobody can start another one. The programs measure by
 * themselves how much they get rid of, and how long the slowest write takes. The next daemon, of another installation,
 * takes them back as they are.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LOGS } from '../../src/protocol/index.js';
import { formatBytes } from '../../src/util/index.js';
import { assertSucceeded, Installation, Rig } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const seconds = Math.max(10, Math.round(600 * Number(values.scale)));
const NAMES = ['first', 'second'];
const WANTED_BYTES = 10e6;
/** What is to be reached in every tenth of the time; a machine has other work, too, and in CI, at a small scale, more of it. */
const LEAST_SHARE = Number(values.scale) >= 1 ? 0.9 : 0.3;
const CAP_BYTES = DEFAULT_LOGS.maxTotalBytes;

await using rig = await Rig.create({ hasDaemon: false });
const node = join(rig.folder, 'node');
copyFileSync(process.execPath, node);
const installation = new Installation(rig, 'installation', { node });
assert.equal((await installation.cli('daemon', 'start')).code, 0);
const script = fileURLToPath(new URL('apps/steady.js', import.meta.url));
const report = (name: string): string => join(rig.folder, `${name}.report`);
const services = NAMES.map((name) => [name, { script, env: { REPORT: report(name) } }]);
assertSucceeded(await rig.up(Object.fromEntries(services)));
const before = await rig.client.call('services');
const folders = await Promise.all(NAMES.map(async (name) => dirname((await shown(name)).logs.out)));

await rig.killDaemon();
rmSync(node);
rmSync(installation.root, { recursive: true });
let largest = 0;
for (let second = 0; second < seconds; second++) {
  await sleep(1000);
  largest = Math.max(largest, ...folders.map(folderBytes));
}
const reports = NAMES.map((name) => readReport(name).slice(-seconds));
await rig.startDaemon();

const after = await rig.client.call('services');
const identity = ({ instances, restarts }: (typeof before)[number]) => [
  restarts,
  instances.map(({ pid }) => pid),
];
assert.deepEqual(after.map(identity), before.map(identity), 'the next daemon takes back the same processes');
for (const [index, name] of NAMES.entries()) {
  const rates = tenths(reports[index]!);
  const slowestMs = Math.max(...reports[index]!.map(({ slowestMs: ms }) => ms));
  console.log(
    `${name}: ${seconds} s without a daemon, slowest tenth ${formatBytes(Math.min(...rates))}/s, ` +
      `fastest ${formatBytes(Math.max(...rates))}/s, slowest write ${slowestMs} ms`,
  );
  assert.ok(Math.min(...rates) >= WANTED_BYTES * LEAST_SHARE, `${name} is slowed down`);
}
console.log(`log of a service: never more than ${formatBytes(largest)} (cap ${formatBytes(CAP_BYTES)})`);
console.log('the next daemon took both back: same pids, no restart');
assert.ok(largest <= CAP_BYTES);

function shown(name: string) {
  return rig.client.call('service', { params: { name } });
}

function readReport(name: string): { written: number; slowestMs: number }[] {
  const lines = readFileSync(report(name), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [written, slowestMs] = line.split(' ').map(Number);
    return { written: written!, slowestMs: slowestMs! };
  });
}

/** Bytes a second, in each tenth of the time. */
function tenths(all: readonly { written: number }[]): number[] {
  const length = Math.floor((all.length - 1) / 10) || 1;
  return Array.from({ length: Math.min(10, all.length - 1) }, (_, index) => {
    const [from, to] = [all[index * length]!, all[(index + 1) * length]!];
    return (to.written - from.written) / length;
  });
}

function folderBytes(folder: string): number {
  const size = (file: string): number => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;
  return readdirSync(folder).reduce((sum, file) => sum + size(file), 0);
}

/**
 * The daemon is killed 100 times while services log 1,000 lines a second: no line is lost, doubled or torn.
 *
 * Node, Python and a shell, with one instance and with two, number their lines. The daemon is killed with SIGKILL at a
 * moment of chance and stays away for a while of chance. At the end each program says how many lines it has written; they
 * are looked for in all files of its log, rotated ones too.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../src/config/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';
import { readLog, type Tally } from './support/numbered-lines.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const kills = Math.max(3, Math.round(100 * Number(values.scale)));
const LONGEST_MS = 500;

const app = (name: string): string => fileURLToPath(new URL(`apps/${name}`, import.meta.url));
const PROGRAMS: Record<string, ServiceConfig> = {
  node: { script: app('numbers.js') },
  python: { script: app('numbers.py'), interpreter: '/usr/bin/python3' },
  shell: { script: app('numbers.sh'), interpreter: '/bin/sh' },
};
const services = Object.fromEntries(
  Object.entries(PROGRAMS).flatMap(([name, config]) =>
    [1, 2].map((instances) => [`${name}-${instances}`, { ...config, instances, ports: [] }]),
  ),
);

await using rig = await Rig.create();
assertSucceeded(await rig.up(services));
const before = await attempts();
for (let count = 0; count < kills; count++) {
  await sleep(Math.random() * LONGEST_MS);
  await rig.killDaemon();
  await sleep(Math.random() * LONGEST_MS);
  await rig.startDaemon();
}
assert.deepEqual(await attempts(), before, 'everybody is still on the first attempt, with the same pid');
assertSucceeded(await rig.request({ kind: 'stop', services: 'all' }));

const tallies: Tally[] = [];
for (const [name, { instances }] of Object.entries(services)) {
  const { logs } = await rig.client.call('service', { params: { name } });
  tallies.push(...readLog(logs.out, name, instances));
}
console.log(`${kills} times the daemon was killed; 9 instances of 6 services logged all the time`);
for (const { origin, written, found, files, example = '' } of tallies)
  console.log(
    `  ${origin.padEnd(10)} ${written} lines written, ${found} found in order, in ${files} files ${example}`,
  );
const sum = (key: 'lost' | 'doubled' | 'torn'): number => tallies.reduce((all, tally) => all + tally[key], 0);
console.log(`lost: ${sum('lost')}, doubled or out of order: ${sum('doubled')}, torn: ${sum('torn')}`);
assert.deepEqual([sum('lost'), sum('doubled'), sum('torn')], [0, 0, 0]);

async function attempts(): Promise<(number | null)[][]> {
  const views = await rig.client.call('services');
  return views.flatMap(({ instances }) => instances.map(({ attempt, pid }) => [attempt, pid]));
}

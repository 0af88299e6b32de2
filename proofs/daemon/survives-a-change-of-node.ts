/**
 * Node 10 is removed under running services, then the daemon's own Node, and Node 7 comes: one supervisor, and every request is answered by the right version.
 *
 * The Nodes are those of npm, the machine has namespaces of its own (it needs root), and doctor is asked in every scene. The
 * same is then done with a PM2 of the time, which ends with two daemons: doctor has to find both, and what they run twice.
 * What makes two of them stands in survives-a-change-of-node/with-pm2.ts.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runAlone } from '../doctor/support/namespaces.js';
import { install as installNode } from '../port/node-versions/versions.js';
import { install } from '../port/support/install.js';
import type { Cast } from './survives-a-change-of-node/cast.js';
import type { Runtime } from './survives-a-change-of-node/runtimes.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const ACTS = ['upkeep', 'PM2'];
const cast: Cast = {
  requests: Math.max(20, Math.round(1000 * Number(values.scale))),
  ten: runtimeOf('10'),
  seven: runtimeOf('7.10.1'),
  own: runtimeOf('20'),
  pm2: await install({ source: '../daemon/survives-a-change-of-node/pm2' }),
};

const failed: string[] = [];
for (const act of ACTS.filter((name) => name.includes(values.only))) {
  const script = join(import.meta.dirname, 'survives-a-change-of-node', `with-${act.toLowerCase()}.ts`);
  const { code, output } = await runAlone(script, [JSON.stringify(cast)]);
  console.log(`── ${act} ──\n${output}\n`);
  if (code !== 0) failed.push(act);
}
assert.deepEqual(failed, []);

function runtimeOf(name: string): Runtime {
  const { program } = installNode(name);
  return { program, version: execFileSync(program, ['--version'], { encoding: 'utf8' }).trim() };
}

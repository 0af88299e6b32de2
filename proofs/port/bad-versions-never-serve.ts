/**
 * A bad new version never takes traffic: the process that served before serves on, the operation fails with the true
 * reason, and the list shows it.
 *
 * One instance under load. Each bad version comes by `up` with a changed script, as a deployment would bring it; then a
 * good one comes, to show that the way is open.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ServiceConfig } from '../../src/config/index.js';
import type { Failure } from '../../src/protocol/index.js';
import { assertSucceeded, failureOf, freePort, Rig } from '../../test/rig/index.js';
import { VERSIONS, type BadVersion } from './bad-versions-never-serve/versions.js';
import { Load } from './load/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
/** Each of them, how often. */
const rounds = Math.max(1, Math.round(2 * Number(values.scale)));
const SERVICE = 'shop';
const APP = join(import.meta.dirname, 'bad-versions-never-serve', 'app');

await using rig = await Rig.create();
const port = await freePort();
const otherPort = await freePort();
assertSucceeded(await rig.up({ [SERVICE]: version('good') }));
const { pid } = await rig.instance(SERVICE);
await using load = await Load.start({
  port,
  clients: [
    { kind: 'connections', perSecond: 100 },
    { kind: 'keep-alive', clients: 10, thinkMs: 100 },
  ],
});
await load.untilAnswered(50);

for (let round = 0; round < rounds; round++) {
  for (const bad of VERSIONS) await tryOut(bad);
}
await load.untilAnswered(50);
const report = await load.stop();
const answered = Object.values(report.clients).reduce((sum, { succeeded }) => sum + succeeded, 0);
const pids = new Set(Object.values(report.clients).flatMap((client) => Object.keys(client.pids)));
assertSucceeded(await rig.up({ [SERVICE]: version('good', { TRIED: 'again' }) }));
assert.equal((await rig.service(SERVICE)).failure, undefined, 'a good version clears the failure');

console.log(`\n${rounds * VERSIONS.length} bad versions, each refused with its reason`);
console.log(`${answered} requests answered by ${pids.size} process, ${report.failures.length} failed`);
if (report.failures.length > 0 || pids.size !== 1 || !pids.has(String(pid))) process.exitCode = 1;

async function tryOut({ name, says, shows }: BadVersion): Promise<void> {
  const startedAt = performance.now();
  const failure = failureOf(await rig.up({ [SERVICE]: version(name) }));
  const tookMs = performance.now() - startedAt;
  const before = { ...(await rig.service(SERVICE)) };
  assert.match(failure.message, says, name);
  if (shows) assert.match(wordLines(failure), shows, name);
  assert.equal(before.failure?.message, failure.message, `${name}: shown in the list`);
  assert.deepEqual(
    before.instances.map((instance) => [instance.pid, instance.role, instance.status]),
    [[pid, 'serving', 'running']],
    `${name}: the old process serves, and nothing else is left`,
  );
  const { spec } = await rig.client.call('service', { params: { name: SERVICE } });
  assert.match(spec.script ?? '', /good\.js$/, `${name}: the description of what runs is kept`);
  console.log(`${name.padEnd(20)} ${(tookMs / 1000).toFixed(1).padStart(5)} s  ${failure.message}`);
}

function wordLines({ lines = [] }: Failure): string {
  return lines.join('\n');
}

function version(name: string, env: Record<string, string> = {}): ServiceConfig {
  return {
    script: `${name}.js`,
    cwd: APP,
    port,
    env: { PORT: port, OTHER_PORT: otherPort, ...env },
    ready: { timeout: '3s' },
    limits: { memory: '150MB' },
    reload: { stable: '5s', verify: { http: '/health?id=verify', timeout: '2s' } },
  };
}

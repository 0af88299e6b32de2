/**
 * A service restarts all services and dies with it: each restarts exactly once, its next attempt reads the result.
 *
 * Ten services share one folder. Round after round one of them runs `upkeep restart all` through child_process.exec and
 * is ended by what it asked for. The daemon goes on: the operation ends as succeeded and knows who asked, and the new
 * attempt of the asking service finds its number in UPKEEP_OPERATION and waits for its result.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import type { OperationView, ServiceView } from '../../src/protocol/index.js';
import { app, Rig, type Puppet } from '../../test/rig/index.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const rounds = Math.max(3, Math.round(100 * Number(values.scale)));

const ASKER = 'asker';
const OTHERS = Array.from({ length: 9 }, (_, index) => `other-${index + 1}`);

await using rig = await Rig.create();
const first = rig.command('operation', '$UPKEEP_OPERATION', '--wait', '--json');
await rig.up({
  [ASKER]: rig.puppet({ env: { PUPPET_FIRST: first } }),
  ...Object.fromEntries(OTHERS.map((name) => [name, { script: app('waits-forever.js') }])),
});

const roundMs: number[] = [];
let puppet = await rig.enter(ASKER);
for (let round = 1; round <= rounds; round++) {
  const before = await rig.client.call('services');
  const startedAt = performance.now();
  const next = await restartAllFrom(puppet);
  roundMs.push(performance.now() - startedAt);
  assertRestartedOnce(before, await rig.client.call('services'));
  await assertReported(puppet, next);
  puppet = next;
}

const operations = await rig.client.call('operations', { query: { limit: '500' } });
assert.equal(operations.filter(({ kind }) => kind === 'restart').length, rounds, 'one operation a round');
roundMs.sort((a, b) => a - b);
console.log(`${rounds} rounds of "upkeep restart all" asked for by one of the ten services`);
console.log(
  `${rounds * 10} restarts wanted, ${await countRestarts()} done; ${rounds} operations, all succeeded`,
);
console.log(
  `the next attempt of the asking service read the result of its operation: ${rounds} of ${rounds}`,
);
console.log(`from the question to the report: median ${ms(0.5)}, slowest ${ms(1)}`);

/** Answers the next attempt, once it has entered: by then it has read the result. */
async function restartAllFrom(asking: Puppet): Promise<Puppet> {
  // It is ended while it waits for the answer, and its shell and the command with it.
  const isCutOff = await asking.exec(rig.command('restart', 'all')).then(
    () => false,
    () => true,
  );
  assert.ok(isCutOff, 'the asking process did not survive its question');
  return rig.enter(ASKER, { after: asking.identity.attempt });
}

function assertRestartedOnce(before: readonly ServiceView[], after: readonly ServiceView[]): void {
  assert.equal(after.length, before.length);
  for (const [index, { name, restarts, instances }] of after.entries()) {
    const was = before[index]!;
    const [now, then] = [instances[0]!, was.instances[0]!];
    assert.equal(now.status, 'running', name);
    assert.equal(now.attempt, then.attempt + 1, `${name}: attempt`);
    assert.equal(restarts, was.restarts + 1, `${name}: restarts`);
    assert.notEqual(now.pid, then.pid, `${name}: pid`);
  }
}

async function assertReported(asking: Puppet, next: Puppet): Promise<void> {
  const { operation, first: report } = next.identity;
  assert.ok(operation !== null && report !== null);
  assert.equal(report.code, 0, report.stderr);
  const told = JSON.parse(report.stdout) as OperationView;
  const { id, status, kind, steps, requester } = await rig.client.call('operation', {
    params: { id: operation },
  });
  assert.deepEqual([told.id, told.status, kind], [id, 'succeeded', 'restart']);
  assert.equal(status, 'succeeded');
  assert.equal(steps.length, 1 + OTHERS.length);
  const { service, instance, attempt } = requester;
  assert.deepEqual([service, instance, attempt], [ASKER, 0, asking.identity.attempt], 'who asked');
}

async function countRestarts(): Promise<number> {
  const services = await rig.client.call('services');
  return services.reduce((sum, { restarts }) => sum + restarts, 0);
}

function ms(quantile: number): string {
  return `${Math.round(roundMs[Math.ceil(quantile * roundMs.length) - 1]!)} ms`;
}

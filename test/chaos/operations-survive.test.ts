/**
 * The daemon is killed at every point of an operation. Where no moment can be hit from outside (the effect is there, the
 * end of the operation is not on disk), the files of the home are set back to what they were at that moment.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import type { OperationRequest, OperationView } from '../../src/protocol/index.js';
import { assertSucceeded, Rig } from '../rig/index.js';

const SLEEPER: ServiceConfig = { command: 'sleep 100000' };
const SLOW = { log: 'open for business', timeout: '20s' };

interface Effect {
  readonly title: string;
  readonly before: ServiceConfig;
  readonly request: (rig: Rig) => Promise<OperationRequest>;
  /** Of each instance in the end. */
  readonly attempts: readonly number[];
  readonly status: string | null;
}

const ask = (request: OperationRequest) => (): Promise<OperationRequest> => Promise.resolve(request);
const up = (config: ServiceConfig) => async (rig: Rig) => ({
  kind: 'up' as const,
  services: [...(await rig.specs({ api: config }))],
});

const EFFECTS: readonly Effect[] = [
  {
    title: 'a restart',
    before: SLEEPER,
    request: ask({ kind: 'restart', services: ['api'] }),
    attempts: [2],
    status: 'running',
  },
  {
    title: 'a stop',
    before: SLEEPER,
    request: ask({ kind: 'stop', services: ['api'] }),
    attempts: [1],
    status: 'stopped',
  },
  {
    title: 'a deletion',
    before: SLEEPER,
    request: ask({ kind: 'delete', services: ['api'] }),
    attempts: [],
    status: null,
  },
  {
    title: 'scaling up',
    before: SLEEPER,
    request: ask({ kind: 'scale', service: 'api', instances: 3 }),
    attempts: [1, 1, 1],
    status: 'running',
  },
  {
    title: 'scaling down',
    before: { ...SLEEPER, instances: 3 },
    request: ask({ kind: 'scale', service: 'api', instances: 1 }),
    attempts: [1],
    status: 'running',
  },
  {
    title: 'a live update',
    before: SLEEPER,
    request: up({ ...SLEEPER, instances: 2 }),
    attempts: [1, 1],
    status: 'running',
  },
];

for (const { title, before, request, attempts, status } of EFFECTS) {
  test(`${title} whose end was not written down is not done twice`, async () => {
    await using rig = await Rig.create();
    assertSucceeded(await rig.up({ api: before }));
    const state = readFileSync(rig.home.state, 'utf8');
    const { id } = await rig.request(await request(rig));

    await rig.killDaemon();
    forgetEnd(rig, id);
    writeFileSync(rig.home.state, state);
    await rig.startDaemon();

    assertSucceeded(await rig.ended(id));
    const [service] = await rig.client.call('services');
    assert.equal(service?.status ?? null, status);
    assert.deepEqual(service?.instances.map(({ attempt }) => attempt) ?? [], attempts);
  });
}

test('a change of the description whose end was not written down is not done twice', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: SLEEPER }));
  const { id } = await rig.up({ api: { ...SLEEPER, env: { VERSION: '2' } } });

  await rig.killDaemon();
  forgetEnd(rig, id);
  await rig.startDaemon();

  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('api')).attempt, 2);
  assert.equal(await version(rig), '2');
});

test('a change of the description that was not saved before the crash is done', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: SLEEPER }));
  const state = readFileSync(rig.home.state, 'utf8');
  const { id } = await rig.up({ api: { ...SLEEPER, env: { VERSION: '2' } } });

  await rig.killDaemon();
  forgetEnd(rig, id);
  writeFileSync(rig.home.state, state);
  await rig.startDaemon();

  assertSucceeded(await rig.ended(id));
  assert.equal(await version(rig), '2');
  assert.equal((await rig.client.call('services')).length, 1);
});

test('a service that was being created keeps its process', async () => {
  await using rig = await Rig.create();
  const services = [...(await rig.specs({ api: rig.puppet({ ready: SLOW }) }))];
  const { id } = await rig.accept({ kind: 'up', services });
  const puppet = await rig.enter('api');

  await rig.killDaemon();
  await rig.startDaemon();
  await puppet.print('open for business');

  assertSucceeded(await rig.ended(id));
  const { attempt, pid } = await rig.instance('api');
  assert.deepEqual({ attempt, pid }, { attempt: 1, pid: puppet.pid });
});

test('an operation that was accepted a moment ago is done', async () => {
  await using rig = await Rig.create();
  const services = [...(await rig.specs({ api: SLEEPER }))];
  const { id } = await rig.accept({ kind: 'up', services });

  await rig.killDaemon();
  await rig.startDaemon();

  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('api')).status, 'running');
});

test('a stop that was waiting for the end of a process is finished', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ stop: { grace: '20s' } }) }));
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  const { id } = await rig.accept({ kind: 'stop', services: ['api'] });
  await rig.untilInstance('api', ({ status }) => status === 'stopping');

  await rig.killDaemon();
  await rig.startDaemon();
  await rig.untilInstance('api', ({ status }) => status === 'stopping');
  await puppet.crash('SIGKILL');

  assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('api')).status, 'stopped');
});

test('a restart that was waiting for the new process does not start another', async () => {
  await using rig = await Rig.create();
  const config = rig.puppet({ ready: SLOW });
  const accepted = await rig.accept({ kind: 'up', services: [...(await rig.specs({ api: config }))] });
  await (await rig.enter('api')).print('open for business');
  assertSucceeded(await rig.ended(accepted.id));
  const { id } = await rig.accept({ kind: 'restart', services: ['api'] });
  const second = await rig.enter('api', { after: 1 });

  await rig.killDaemon();
  await rig.startDaemon();
  await second.print('open for business');

  assertSucceeded(await rig.ended(id));
  const { attempt, pid } = await rig.instance('api');
  assert.deepEqual({ attempt, pid }, { attempt: 2, pid: second.pid });
});

test('a daemon that is asked to end in the middle of operations ends; the next one finishes them', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ stop: { grace: '20s' } }), web: SLEEPER }));
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  const stop = await rig.accept({ kind: 'stop', services: ['api', 'web'] });
  const start = await rig.accept({ kind: 'start', services: ['web'] });
  await rig.untilInstance('api', ({ status }) => status === 'stopping');

  const { code } = await rig.cli('daemon', 'stop');
  assert.equal(code, 0);
  await rig.startDaemon();
  await puppet.crash('SIGKILL');

  for (const { id } of [stop, start]) assertSucceeded(await rig.ended(id));
  assert.equal((await rig.instance('web')).status, 'running');
});

test('operations that waited for each other are done in the order of their acceptance', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ stop: { grace: '20s' } }) }));
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  const requests: OperationRequest[] = [
    { kind: 'stop', services: ['api'] },
    { kind: 'scale', service: 'api', instances: 2 },
    { kind: 'start', services: ['api'] },
    { kind: 'scale', service: 'api', instances: 3 },
  ];
  const accepted: OperationView[] = [];
  for (const request of requests) accepted.push(await rig.accept(request));

  await rig.killDaemon();
  await rig.startDaemon();
  await puppet.crash('SIGKILL');

  for (const { id } of accepted) assertSucceeded(await rig.ended(id));
  const { status, instances } = await rig.service('api');
  assert.deepEqual({ status, count: instances.length }, { status: 'running', count: 3 });
});

test('a signal is not sent again to what was started since', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: SLEEPER }));
  const { id } = await rig.request({ kind: 'signal', service: 'api', signal: 'SIGKILL' });
  const { pid } = await rig.untilInstance(
    'api',
    ({ attempt, status }) => attempt === 2 && status === 'running',
  );

  await rig.killDaemon();
  forgetEnd(rig, id);
  await rig.startDaemon();

  const { status, steps } = await rig.ended(id);
  assert.equal(status, 'failed');
  assert.equal(steps[0]!.failure?.code, 'interrupted');
  assert.equal((await rig.instance('api')).pid, pid);
});

test('what an unfinished operation only kept is started again after a reboot', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: SLEEPER }));
  const { id, steps } = await rig.up({ api: SLEEPER });
  assert.equal(steps[0]!.action, 'keep');

  await reboot(rig);
  forgetEnd(rig, id);
  await rig.startDaemon();

  assertSucceeded(await rig.ended(id));
  await rig.untilInstance('api', ({ status }) => status === 'running');
});

test('a file that cannot be written refuses the operation, and stands in the way of none after it', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: SLEEPER }));
  await rig.killDaemon();
  const journal = join(rig.home.path, 'operations.jsonl');
  // A torn line makes the journal be renewed; a folder in its way is a disk that does not let it.
  writeFileSync(journal, `${readFileSync(journal, 'utf8')}{"type":`);
  const block = `${journal}.new`;
  mkdirSync(block);
  await rig.startDaemon();

  const refused = await rig.cli('stop', 'api');
  assert.match(refused.stderr, /Cannot accept the operation \(stop\): EISDIR/);
  assert.equal((await rig.instance('api')).status, 'running');
  rmdirSync(block);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
});

test('a state that cannot be saved fails the operation, and is saved as soon as it can be', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: SLEEPER }));
  const block = `${rig.home.state}.new`;
  mkdirSync(block);

  const { status, steps } = await rig.request({ kind: 'stop', services: ['api'] });
  assert.equal(status, 'failed');
  assert.match(steps[0]!.failure!.message, /^Cannot save the state: EISDIR/);
  assert.equal((await rig.instance('api')).status, 'stopped');
  rmdirSync(block);
  await rig.until('the state is saved', () =>
    readFileSync(rig.home.state, 'utf8').includes('"isWanted":false'),
  );
});

/** The daemon died after the last effect and before it could write that down. */
function forgetEnd(rig: Rig, id: string): void {
  const path = join(rig.home.path, 'operations.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  const kept = lines.filter((line) => !line.startsWith(`{"type":"ended","view":{"id":"${id}"`));
  assert.equal(kept.length, lines.length - 1);
  writeFileSync(path, kept.join('\n'));
}

/** Nothing lives any more, and pids mean other processes. */
async function reboot(rig: Rig): Promise<void> {
  await rig.killDaemon();
  for (const { pid } of rig.processes()) await rig.killProcess(pid);
  writeFileSync(join(rig.home.path, 'run', 'boot'), 'another boot');
}

/** Of the process that runs. */
async function version(rig: Rig): Promise<string | undefined> {
  const { pid } = await rig.untilInstance('api', (instance) => instance.pid !== null);
  return /(?:^|\0)VERSION=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1];
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import type { ExitView, InstanceView } from '../../src/protocol/index.js';
import { app, assertSucceeded, freePort, Rig } from '../rig/index.js';

const SOON = { eventLoop: '500ms' } as const;

test('an event loop that never comes back is found, shown with its stack, and replaced', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  assertSucceeded(await rig.up({ api: hanging(port, { health: SOON }) }));
  const { pid, exit } = await untilSeenHanging(rig, 'api', port, '/spin');
  const why = `upkeep: unhealthy (no answer of the event loop for 500ms: pid ${pid} runs in spin (hangs-when-told.cjs:5))`;
  assert.equal(exit.askedBy, why);
  assert.equal(exit.signal, 'SIGKILL', 'it cannot hear SIGTERM');
  const { evidence } = exit;
  assert.deepEqual([evidence!.answers, evidence!.missing], [false, null]);
  assert.equal(evidence!.frames[0]!.name, 'spin');
  assert.equal(evidence!.frames[0]!.file, app('hangs-when-told.cjs'));
  assert.deepEqual(exit.lastLines, [], 'what the inspector says is not among its last words');
  const { stdout } = await rig.cli('show', 'api');
  assert.match(stdout, /seen +runs in spin \(hangs-when-told\.cjs:5\)/);
  assert.match(stdout, /at spin \(.*hangs-when-told\.cjs:5:\d+\)/);
});

test('who is stopped does not hang, who waits in the kernel does', async () => {
  await using rig = await Rig.create();
  const [port, other] = [await freePort(), await freePort()];
  const services = { api: hanging(port, { health: SOON }), other: hanging(other, { health: SOON }) };
  assertSucceeded(await rig.up(services));
  const { pid } = await rig.instance('api');
  process.kill(pid!, 'SIGSTOP');
  const { exit } = await untilSeenHanging(rig, 'other', other, '/block');
  assert.match(
    exit.askedBy!,
    /no answer of the event loop for 500ms: pid \d+ runs in block \(hangs-when-told\.cjs:9\)/,
  );
  process.kill(pid!, 'SIGCONT');
  assert.equal((await rig.instance('api')).attempt, 1);
});

test('with action none a hang is only told, and its inspector is closed again', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const health = { eventLoop: { limit: '500ms', action: 'none' } } as const;
  assertSucceeded(await rig.up({ api: hanging(port, { health }) }));
  tell(port, '/spin');
  const { pid, attempt } = await rig.untilInstance('api', ({ healthy }) => healthy === false);
  assert.equal(attempt, 1);
  const told = (await rig.events('api')).filter(({ type }) => type === 'instance-health');
  assert.match(
    JSON.stringify(told),
    /: pid \d+ (?:runs in spin|it is busy).*"probe":"event-loop","action":"none"/,
  );
  const { loopbackPorts } = await import('../../src/system/index.js');
  await rig.until(
    'only the port of the service is open',
    () => loopbackPorts(pid!)?.size === 0 || loopbackPorts(pid!)?.has(port),
  );
  assert.deepEqual(
    [...(loopbackPorts(pid!) ?? [])].filter((each) => each !== port),
    [],
  );
});

test('what a failing probe leads to is kept with what the event loop waits for', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const health = { http: '/forget', interval: '100ms', timeout: '200ms', failures: 2 } as const;
  assertSucceeded(await rig.up({ api: hanging(port, { health, stop: { drain: 0 } }) }));
  const { exit } = await rig.untilInstance('api', ({ attempt }) => attempt > 1);
  assert.equal(exit!.evidence!.answers, true);
  assert.match(exit!.evidence!.summary, /^its event loop answers/);
  assert.ok(exit!.evidence!.openFiles! > 5);
});

test('who waits in a read of a FIFO is not interrupted by the look at it, and is replaced for its hang', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const fifo = join(rig.home.path, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const env = { PORT: String(port), FIFO: fifo };
  assertSucceeded(await rig.up({ api: { script: app('reads-a-fifo.cjs'), port, health: SOON, env } }));
  const { exit } = await rig.untilInstance('api', ({ attempt }) => attempt === 2);
  assert.match(exit!.askedBy!, /^upkeep: unhealthy \(no answer of .* waits in \w*pipe_read of the kernel\)$/);
  assert.match(exit!.evidence!.missing!, /^it waits in \w*pipe_read, which the signal would interrupt$/);
  assert.equal(exit!.error, null, 'no EINTR');
  const { verdict } = await rig.untilExplained('api', 1);
  assert.equal(verdict.cause, 'unhealthy');
});

test('who ends by the look at it is told as what was looked for', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const api = { script: app('interrupted-when-inspected.cjs'), port, env: { PORT: String(port) } };
  assertSucceeded(await rig.up({ api: { ...api, health: SOON } }));
  tell(port, '/spin');
  const { exit } = await rig.untilInstance('api', ({ attempt }) => attempt === 2);
  assert.match(
    exit!.askedBy!,
    /^upkeep: unhealthy \(no answer of the event loop for 500ms: pid \d+ (?:it is busy|is in state R)\)$/,
  );
  assert.match(exit!.error?.message ?? '', /EINTR/, JSON.stringify(exit));
  const { verdict } = await rig.untilExplained('api', 1);
  assert.equal(verdict.cause, 'unhealthy');
  assert.match(verdict.summary, /the signal that opens its inspector \(SIGUSR1\) interrupted it/);
  const told = await rig.events('api');
  const types = told.map(({ type }) => type);
  assert.ok(types.indexOf('instance-health') < types.indexOf('instance-exited'), 'unhealthy first');
  const { stdout } = await rig.cli('report', 'api', '--json');
  assert.match(stdout, /"cause": "unhealthy"/);
});

function hanging(port: number, config: ServiceConfig): ServiceConfig {
  return { script: app('hangs-when-told.cjs'), port, env: { PORT: String(port) }, ...config };
}

const LOOKS = 5;

/**
 * As it hung, and how it was ended. Its inspector has little time to open: on a busy machine it may be too late for that, which is told,
 * too, and looked at again.
 */
async function untilSeenHanging(
  rig: Rig,
  service: string,
  port: number,
  path: string,
): Promise<{ pid: number; exit: ExitView }> {
  for (let looks = 1; ; looks++) {
    const isRunning = ({ status }: InstanceView): boolean => status === 'running';
    const { pid, attempt } = await rig.untilInstance(service, isRunning);
    tell(port, path);
    const { exit } = await rig.untilInstance(service, (next) => next.attempt > attempt && isRunning(next));
    if (exit!.evidence?.missing === null || looks === LOOKS) return { pid: pid!, exit: exit! };
  }
}

/** Nobody waits for the answer. */
function tell(port: number, path: string): void {
  get({ host: '127.0.0.1', port, path, agent: false }).on('error', () => undefined);
}

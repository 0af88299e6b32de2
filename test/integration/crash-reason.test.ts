/** What a program crashed by is part of its exit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import { app, Rig } from '../rig/index.js';

const WORDS =
  /TypeError: Cannot read properties of undefined \(reading 'models'\) \(throws-when-told\.cjs:4\)/;
const service = {
  script: app('throws-when-told.cjs'),
  restart: 'never' as const,
  ports: [],
} satisfies ServiceConfig;

test('list, show and events say by which error a program crashed', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { ...service, env: { NOW: '1' } } });
  const { exit } = await rig.untilInstance('api', ({ status }) => status === 'completed');
  assert.equal(exit!.error?.type, 'TypeError');
  assert.equal(exit!.reason, 'exit code 1');
  for (const command of [['list'], ['show', 'api'], ['events']] as const) {
    const { stdout } = await rig.cli(...command);
    assert.match(stdout, WORDS, command[0]);
  }
});

test('a program that crashes while no daemon lives has its reason with the next one', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: service });
  const { pid } = await rig.untilInstance('api', ({ pid: of }) => of !== null);
  await rig.untilLogged('api', 'waits');
  await rig.killDaemon();
  process.kill(pid!, 'SIGUSR2');
  await rig.until('it is gone', () => !rig.lives(pid!));
  await rig.startDaemon();
  const { exit } = await rig.untilInstance('api', ({ status }) => status === 'completed');
  assert.equal(exit!.error?.at, 'throws-when-told.cjs:4');
});

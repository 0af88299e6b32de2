/** The logs while no daemon lives. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Rig } from '../rig/index.js';

const LINES = 200_000;

test('who writes megabytes while no daemon lives is not blocked, and nothing of it is lost', async () => {
  await using rig = await Rig.create();
  const script = `while ! test -e go; do sleep 0.02; done; seq ${LINES}; echo sorry >&2; touch done; exit 7`;
  await rig.up({ job: { command: ['/bin/sh', '-c', script], restart: 'never' } });
  await rig.killDaemon();

  rig.write('go', '');
  const done = join(rig.folder, 'app', 'done');
  await rig.until('all of it was written', () => existsSync(done));

  await rig.startDaemon();
  const { exit } = await rig.untilInstance('job', ({ status }) => status === 'completed');
  const expected = Array.from({ length: LINES }, (_, index) => String(index + 1));
  assert.ok((await rig.log('job')) === `${expected.join('\n')}\n`);
  assert.deepEqual([exit!.code, exit!.lastLines], [7, [...expected.slice(-20), 'sorry']]);
});

test('"logs -f" goes on with what comes, whatever was written while nobody lived', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  await rig.killDaemon();
  await puppet.print('nobody listens');
  await rig.startDaemon();
  const logs = rig.follow('logs', 'api', '-f', '--raw');
  await rig.until('the past is shown', () => logs.lines.includes('nobody listens'));
  await puppet.print('somebody listens');
  await rig.until('the present is shown', () => logs.lines.includes('somebody listens'));
  logs.process.kill('SIGINT');
  await logs.ended;
  assert.deepEqual(logs.lines, ['nobody listens', 'somebody listens']);
});

/** The rig has to notice what it promises to notice, or every other test proves less than it says. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { Rig } from '../rig/index.js';

test('a process that is left over fails the test and is ended', async () => {
  const rig = await Rig.create({ hasDaemon: false });
  const stray = spawn('sleep', ['1000000'], { env: rig.env, stdio: 'ignore' });
  await rig.until('the stray is itself', () => rig.processes().some(({ name }) => name === 'sleep'));

  await assert.rejects(
    rig[Symbol.asyncDispose](),
    new RegExp(`These were left over:\n {2}pid ${stray.pid} \\(S\\) sleep 1000000`),
  );

  assert.ok(!rig.lives(stray.pid!));
  assert.ok(!existsSync(rig.folder));
});

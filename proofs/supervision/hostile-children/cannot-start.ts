/** Children that do not come up, or not again: something that they need is gone. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceConfig } from '../../../src/config/index.js';
import { app, failureOf } from '../../../test/rig/index.js';
import { HASTY, type Case, type CaseStage, type Finding } from './case.js';

/** Said by what has read its own program: from then on that may go away. */
const IS_UP = 'up and running';
const SLEEPS = `#!/bin/sh\necho '${IS_UP}'\nexec sleep 1000000\n`;

export const CANNOT_START: readonly Case[] = [
  {
    child: 'exits at once, every time',
    async run(stage) {
      // Without a ready rule it has started as soon as it was executed; what follows is told by its status.
      await stage.up({ script: app('exits-at-once.sh'), restart: HASTY });
      const { exit } = await stage.rig.untilInstance(stage.service, ({ status }) => status === 'crashed');
      assert.deepEqual([exit!.code, exit!.lastLines], [3, ['cannot open the database']]);
      const { reason } = await stage.event('instance-restarting');
      assert.match(reason, /^crash loop: 5 failures within \d+ s$/);
      const { attempt } = await stage.rig.instance(stage.service);
      await stage.rig.untilInstance(stage.service, (instance) => instance.attempt > attempt);
      return {
        outcome: 'shown as crashed, with its last lines; one slow try after another',
        message: reason,
      };
    },
  },
  {
    child: 'is never ready',
    async run(stage) {
      const failure = failureOf(
        await stage.up({
          script: app('never-ready.js'),
          restart: HASTY,
          ready: { log: 'listening', timeout: 3000 },
        }),
      );
      assert.equal(failure.code, 'not-ready');
      assert.deepEqual(failure.lines, ['still warming up']);
      return {
        outcome: 'ended and started again; the start fails with its last lines',
        message: failure.message,
      };
    },
  },
  {
    child: 'its binary vanished between two attempts',
    run: (stage) => {
      const tool = stage.rig.write('tool', SLEEPS, 0o755);
      return losesWhatItNeeds(
        stage,
        { command: [tool] },
        {
          lose: () => renameSync(tool, `${tool}.gone`),
          giveBack: () => renameSync(`${tool}.gone`, tool),
          says: `${tool} does not exist`,
        },
      );
    },
  },
  {
    child: 'its script became a directory',
    run: (stage) => {
      const program = `console.log('${IS_UP}'); setInterval(() => undefined, 1 << 30);\n`;
      const script = stage.rig.write('became-a-folder.js', program);
      return losesWhatItNeeds(
        stage,
        { script },
        {
          lose: () => (renameSync(script, `${script}.gone`), mkdirSync(script)),
          giveBack: () => (rmSync(script, { recursive: true }), renameSync(`${script}.gone`, script)),
          says: `${script} is a directory`,
        },
      );
    },
  },
  {
    child: 'its script lost the permission to be executed',
    run: (stage) => {
      const script = stage.rig.write('forbidden', SLEEPS, 0o755);
      return losesWhatItNeeds(
        stage,
        { script, interpreter: 'none' },
        {
          lose: () => chmodSync(script, 0o644),
          giveBack: () => chmodSync(script, 0o755),
          says: `${script} is not executable`,
        },
      );
    },
  },
  {
    child: 'its folder vanished',
    run: (stage) => {
      const cwd = join(stage.rig.folder, 'vanishing');
      mkdirSync(cwd);
      return losesWhatItNeeds(
        stage,
        { command: `echo '${IS_UP}'; exec sleep 1000000`, cwd },
        {
          lose: () => rmSync(cwd, { recursive: true }),
          giveBack: () => mkdirSync(cwd),
          says: `its folder ${cwd} does not exist`,
        },
      );
    },
  },
  {
    child: 'its interpreter is not installed any more',
    run: (stage) => {
      const interpreter = stage.rig.write('interpreter', SLEEPS, 0o755);
      const script = stage.rig.write('needs-interpreter', `#!${interpreter}\n`, 0o755);
      return losesWhatItNeeds(
        stage,
        { script, interpreter: 'none' },
        {
          lose: () => renameSync(interpreter, `${interpreter}.gone`),
          giveBack: () => renameSync(`${interpreter}.gone`, interpreter),
          says: `${script} wants ${interpreter}, which does not exist`,
        },
      );
    },
  },
  {
    child: 'is a directory from the beginning',
    async run(stage) {
      const { code, stderr } = await stage.rig.cli('start', app('.'), '--name', stage.service);
      assert.notEqual(code, 0);
      assert.match(stderr, /is a (folder|directory)/);
      await stage.up({ command: 'sleep 1000000' }); // for the runner, which deletes it
      return { outcome: 'refused before anything exists', message: stderr.split('\n')[0]! };
    },
  },
];

interface Loss {
  lose(): void;
  giveBack(): void;
  /** The fact behind `Cannot restart "…": `. */
  readonly says: string;
}

/** It runs; what it needs goes away: a restart leaves it alone. Once it has ended it is crashed, and heals when everything is back. */
async function losesWhatItNeeds(stage: CaseStage, config: ServiceConfig, loss: Loss): Promise<Finding> {
  assert.equal((await stage.up({ ...config, restart: HASTY })).status, 'succeeded');
  await stage.rig.untilLogged(stage.service, IS_UP);
  const { pid } = await stage.rig.instance(stage.service);
  loss.lose();
  const failure = failureOf(await stage.restart());
  assert.equal(failure.message, `Cannot restart "${stage.service}": ${loss.says}`);
  assert.equal((await stage.rig.instance(stage.service)).pid, pid);
  process.kill(pid!, 'SIGKILL');
  const { exit } = await stage.rig.untilInstance(stage.service, ({ status }) => status === 'crashed');
  assert.deepEqual([exit!.kind, exit!.reason], ['spawn-failed', loss.says]);
  loss.giveBack();
  await stage.rig.untilInstance(stage.service, ({ status }) => status === 'running');
  const message = loss.says.replaceAll(stage.rig.folder, '…');
  return {
    outcome: 'a restart leaves it alone; once it has ended: crashed, until what it needs is back',
    message,
  };
}

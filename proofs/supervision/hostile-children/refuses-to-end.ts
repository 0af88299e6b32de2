/** Children that want to outlive their stop. */
import assert from 'node:assert/strict';
import { readEnvironment, readProcess, readProcessTable } from '../../../src/system/index.js';
import { app } from '../../../test/rig/index.js';
import type { Case, CaseStage } from './case.js';

const GRACE_MS = 500;
const stop = { grace: GRACE_MS };
/** In which a shell forks a hundred times, also on a busy machine. */
const BOMB_GRACE_MS = 5000;

export const REFUSES_TO_END: readonly Case[] = [
  {
    child: 'ignores SIGTERM',
    async run(stage) {
      await stage.up({ script: app('ignores-sigterm.js'), stop, ready: { log: 'listening' } });
      const { exit, tookMs } = await stage.stop();
      assert.equal(exit.signal, 'SIGKILL');
      assert.ok(tookMs >= GRACE_MS);
      return { outcome: `SIGKILL after the grace of ${GRACE_MS} ms`, message: exit.reason };
    },
  },
  {
    child: 'double-forks into a session of its own, without environment, deaf to SIGTERM',
    async run(stage) {
      await stage.up({ script: app('double-forks.sh'), stop, ready: { log: 'hidden' } });
      await stage.rig.until('the hidden process is itself', () =>
        stage.notice().some(({ pid, name }) => name === 'sleep' && readEnvironment(pid)?.PATH === undefined),
      );
      const { exit } = await stage.stop();
      assert.equal(exit.signal, 'SIGTERM');
      return { outcome: 'found through the subreaper, SIGKILL after the grace', message: exit.reason };
    },
  },
  {
    child: 'forks 100 children, and 100 more when it is stopped',
    async run(stage) {
      await stage.up({
        script: app('fork-bomb-200.sh'),
        stop: { grace: BOMB_GRACE_MS },
        ready: { log: 'bombed' },
      });
      const before = stage.notice().length;
      const { exit } = await stage.stop();
      const bombs = (await stage.rig.log(stage.service)).match(/bombed/g)?.length;
      assert.deepEqual([before, bombs], [101, 2]);
      return { outcome: 'all 201 processes frozen, then killed', message: exit.reason };
    },
  },
  {
    child: 'runs away: each generation starts the next and ends',
    async run(stage) {
      await stage.up({ script: app('runs-away.sh'), stop: { grace: 100 }, ready: { log: 'running away' } });
      const { exit } = await stage.stop();
      return { outcome: 'frozen and killed, again until nobody is left', message: exit.reason };
    },
  },
  {
    child: 'was suspended by SIGSTOP',
    async run(stage) {
      await stage.up({ script: app('waits-forever.js') });
      const { pid } = await stage.rig.instance(stage.service);
      process.kill(pid!, 'SIGSTOP');
      await stage.rig.until('it is suspended', () => readProcess(pid!)?.state === 'T');
      const { exit, tookMs } = await stage.stop();
      assert.equal(exit.signal, 'SIGTERM');
      assert.ok(tookMs < 5000, 'it need not wait for SIGKILL');
      return { outcome: 'SIGCONT after SIGTERM: it ends as if it had run', message: exit.reason };
    },
  },
  {
    child: 'fails and leaves a child that ignores SIGTERM',
    async run(stage) {
      await stage.up({ script: app('leaves-a-child.sh'), stop, restart: 'never' });
      await stage.rig.untilInstance(stage.service, ({ status }) => status === 'completed');
      const child = Number(/child (\d+)/.exec(await stage.rig.log(stage.service))![1]);
      assert.equal(readProcess(child), undefined, 'over means that nobody is left');
      const { exit } = await stage.rig.instance(stage.service);
      return { outcome: 'swept: the attempt is over when its child is', message: exit!.reason };
    },
  },
  {
    child: 'never waits for its children: fifty zombies',
    async run(stage) {
      await stage.up({ script: app('makes-zombies.sh'), stop, ready: { log: 'fifty' } });
      await stage.rig.until('fifty children are dead', () => zombiesOf(stage) === 50);
      const { exit, tookMs } = await stage.stop();
      assert.ok(tookMs < 5000);
      assert.equal(zombiesOf(stage), 0);
      return {
        outcome: 'zombies are not counted as alive; the shim reaps them at the end',
        message: exit.reason,
      };
    },
  },
];

function zombiesOf(stage: CaseStage): number {
  const roots = new Set(stage.notice().map(({ pid }) => pid));
  return [...readProcessTable().values()].filter(({ state, parent }) => state === 'Z' && roots.has(parent))
    .length;
}

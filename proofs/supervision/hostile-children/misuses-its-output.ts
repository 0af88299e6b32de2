/** Children that write without end, or not at all. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DEFAULT_LOGS } from '../../../src/protocol/index.js';
import { formatBytes } from '../../../src/util/index.js';
import { app } from '../../../test/rig/index.js';
import type { Case, CaseStage } from './case.js';

const CAP_BYTES = DEFAULT_LOGS.maxTotalBytes;
/** How far beyond the cap it writes. */
const BEYOND = 1.5;
const SLOWEST_LIST_MS = 10_000;

export const MISUSES_ITS_OUTPUT: readonly Case[] = [
  {
    child: 'writes forever, as fast as it can',
    async run(stage) {
      await stage.up({ script: app('writes-forever.sh') });
      const wanted = CAP_BYTES * BEYOND * stage.scale;
      const { read, largest, slowestMs } = await writeUntil(stage, wanted);
      assert.ok(largest <= CAP_BYTES, `${largest} bytes of log`);
      assert.ok(slowestMs < SLOWEST_LIST_MS, `"upkeep list" took ${slowestMs} ms`);
      const { exit } = await stage.stop();
      const outcome = `${formatBytes(read)} read, never more than ${formatBytes(largest)} on disk (cap ${formatBytes(CAP_BYTES)}); "upkeep list" took at most ${Math.round(slowestMs)} ms`;
      return { outcome, message: exit.reason };
    },
  },
  {
    child: 'closes its stdout and stderr',
    async run(stage) {
      await stage.up({ script: app('closes-its-output.sh') });
      await stage.rig.untilLogged(stage.service, 'last words');
      const { status, attempt } = await stage.rig.instance(stage.service);
      assert.deepEqual([status, attempt], ['running', 1]);
      const { exit } = await stage.stop();
      return { outcome: 'runs on; its last words are kept', message: exit.reason };
    },
  },
];

/** Answers what was read until then, and the most that the log folder held and that a command took. */
async function writeUntil(stage: CaseStage, wanted: number) {
  const { logs } = await stage.rig.client.call('service', { params: { name: stage.service } });
  let [read, largest, slowestMs] = [0, 0, 0];
  await stage.rig.until(
    `${formatBytes(wanted)} were read`,
    async () => {
      const startedAt = performance.now();
      assert.equal((await stage.rig.cli('list')).code, 0);
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      largest = Math.max(largest, folderBytes(dirname(logs.out)));
      read = bytesWritten(stage);
      return read >= wanted;
    },
    120_000,
  );
  return { read, largest, slowestMs };
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce(
    (sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** `wchar` of all who write: what went into the pipes. */
function bytesWritten(stage: CaseStage): number {
  const counts = stage
    .notice()
    .map(({ pid }) => /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

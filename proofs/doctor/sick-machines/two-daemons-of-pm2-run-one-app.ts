import assert from 'node:assert/strict';
import { app } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'two daemons of PM2 run the same application',
  finds: ['run-twice', 'pm2-daemon', 'pm2-daemon'],
  async prepare(patient) {
    await patient.startPm2('/srv/a/.pm2', [app('waits-forever.js')]);
    await patient.startPm2('/srv/b/.pm2', [app('waits-forever.js')]);
  },
  verify({ fact, evidence }) {
    assert.match(fact, /of PM2 in \/srv\/[ab]\/\.pm2, pid \d+, .* of PM2 in \/srv\/[ab]\/\.pm2/);
    const runs = evidence['runs'] as { pid: number }[];
    assert.equal(new Set(runs.map(({ pid }) => pid)).size, 2);
  },
});

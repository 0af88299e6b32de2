import assert from 'node:assert/strict';
import { app } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'PM2 runs an application of upkeep, too',
  finds: ['run-twice', 'pm2-daemon'],
  async prepare(patient) {
    await patient.up({ worker: { script: app('waits-forever.js') } });
    await patient.startPm2('/srv/.pm2', [app('waits-forever.js')]);
  },
  verify({ fact, evidence }) {
    assert.match(
      fact,
      /waits-forever\.js is run by 2 supervisors: "worker" \(pid \d+\) of upkeep in .* of PM2 in \/srv/,
    );
    assert.equal((evidence['runs'] as unknown[]).length, 2);
  },
});

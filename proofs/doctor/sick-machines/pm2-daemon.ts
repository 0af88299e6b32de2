import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a daemon of PM2 runs beside upkeep',
  finds: ['pm2-daemon'],
  async prepare(patient) {
    await patient.startPm2('/srv/.pm2', []);
  },
  verify({ fact, evidence }) {
    assert.match(fact, /PM2 6\.0\.5 \(pid \d+, home \/srv\/\.pm2\) runs 0 applications since \d{4}-/);
    assert.equal(evidence['version'], '6.0.5');
  },
});

import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'two daemons of PM2 share a home',
  finds: ['pm2-daemon', 'pm2-daemon'],
  async prepare(patient) {
    await patient.startPm2('/srv/.pm2', []);
    await patient.startPm2('/srv/.pm2', []);
  },
  verify({ fact, evidence, severity }) {
    assert.match(fact, /pid \d+ \(PM2 6\.0\.5\) uses the same home/);
    assert.equal(evidence['daemons'], 2);
    assert.equal(severity, 'error');
  },
});

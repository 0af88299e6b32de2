import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a daemon that was killed left its socket',
  finds: ['stale-socket'],
  heals: 'fix',
  async prepare(patient) {
    await patient.rig.request({ kind: 'delete', services: 'all' });
    await patient.rig.killDaemon();
  },
  verify({ evidence }, patient) {
    assert.equal(evidence['path'], patient.rig.home.socket);
    assert.equal(evidence['owner'], null);
  },
});

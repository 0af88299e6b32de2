import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the daemon was killed',
  finds: ['daemon-not-running'],
  heals: 'command',
  async prepare(patient) {
    await patient.rig.killDaemon();
  },
  verify({ fact, evidence }) {
    assert.match(fact, /: nobody restarts what ends$/);
    assert.deepEqual(evidence['dead'], []);
  },
});

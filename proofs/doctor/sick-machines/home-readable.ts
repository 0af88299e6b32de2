import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'everybody may read the home',
  finds: ['home-readable'],
  heals: 'fix',
  async prepare(patient) {
    chmodSync(patient.home, 0o755);
    chmodSync(patient.rig.home.state, 0o644);
  },
  verify({ fact, evidence }) {
    assert.deepEqual(evidence['files'], ['state.json']);
    assert.match(fact, /can be read by everyone: state\.json$/);
  },
});

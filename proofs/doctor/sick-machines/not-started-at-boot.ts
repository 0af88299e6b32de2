import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'nothing starts the daemon at boot',
  finds: ['not-started-at-boot'],
  async prepare(patient) {
    patient.unit.disable();
    rmSync(patient.unit.path);
  },
  verify({ evidence, command }) {
    assert.deepEqual(evidence['services'], ['web']);
    assert.equal(command, 'upkeep boot install');
  },
});

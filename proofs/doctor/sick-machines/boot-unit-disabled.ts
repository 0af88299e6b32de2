import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the unit is installed and not enabled',
  finds: ['boot-unit-disabled'],
  async prepare(patient) {
    patient.unit.disable();
  },
  verify({ evidence, command }, patient) {
    assert.equal(evidence['unit'], patient.unit.path);
    assert.equal(command, 'systemctl enable upkeep.service');
  },
});

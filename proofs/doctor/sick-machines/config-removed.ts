import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the configuration file of a service was removed',
  finds: ['config-missing'],
  async prepare(patient) {
    rmSync(patient.configFile);
  },
  verify({ evidence }, patient) {
    assert.equal(evidence['file'], patient.configFile);
  },
});

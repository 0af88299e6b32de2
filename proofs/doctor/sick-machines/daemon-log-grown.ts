import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the log of the daemon has grown out of proportion',
  finds: ['daemon-log-large'],
  heals: 'command',
  async prepare(patient) {
    truncateSync(patient.rig.home.log, 300 * 1024 ** 2); // without taking any space
  },
  verify({ evidence }) {
    assert.equal(evidence['bytes'], 300 * 1024 ** 2);
  },
});

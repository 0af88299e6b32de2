import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the Node.js that the unit names was removed',
  finds: ['boot-unit-broken'],
  async prepare(patient) {
    patient.unit.install('/opt/node-18/bin/node');
  },
  verify({ fact, evidence }) {
    assert.deepEqual(evidence['missing'], ['/opt/node-18/bin/node']);
    assert.match(fact, /executes \/opt\/node-18\/bin\/node, which does not exist/);
  },
});

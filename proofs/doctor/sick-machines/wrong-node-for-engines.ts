import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a service runs on another Node.js than its package.json wants',
  finds: ['node-version'],
  async prepare(patient) {
    patient.write('package.json', JSON.stringify({ name: 'shop', engines: { node: '>=99' } }));
    await patient.up();
  },
  verify({ fact, evidence }) {
    assert.ok(fact.includes(`runs on Node.js ${process.versions.node}`) && fact.includes('wants >=99'));
    assert.equal(evidence['version'], process.versions.node);
  },
});

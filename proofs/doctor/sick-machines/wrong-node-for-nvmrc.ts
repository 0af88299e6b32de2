import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a service runs on another Node.js than its .nvmrc wants',
  finds: ['node-version'],
  async prepare(patient) {
    patient.write('.nvmrc', 'v10.24\n');
  },
  verify({ fact, evidence }) {
    assert.match(String(evidence['file']), /\/\.nvmrc$/);
    assert.match(fact, /wants v10\.24$/);
  },
});

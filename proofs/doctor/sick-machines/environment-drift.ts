import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'an env file has changed since the start',
  finds: ['environment-drift'],
  heals: 'command',
  async prepare(patient) {
    const file = patient.write('web.env', 'GREETING=hello\nAPI_TOKEN=before\n');
    await patient.up({ web: { ...patient.web(), envFiles: [file] } });
    patient.write('web.env', 'GREETING=hello\nAPI_TOKEN=after\nNEW=1\n');
  },
  verify({ fact, evidence }) {
    assert.deepEqual(evidence['names'], ['API_TOKEN', 'NEW']);
    assert.doesNotMatch(JSON.stringify(fact), /after|before/);
  },
});

import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'everybody may read an env file with secrets',
  finds: ['secrets-readable'],
  heals: 'command',
  async prepare(patient) {
    const file = patient.write('web.env', 'API_TOKEN=t0p\n', 0o644);
    await patient.up({ web: { ...patient.web(), envFiles: [file] } });
  },
  verify({ fact, evidence }) {
    assert.match(String(evidence['path']), /\/web\.env$/);
    assert.doesNotMatch(fact, /t0p/);
  },
});

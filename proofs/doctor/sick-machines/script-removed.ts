import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the script of a running service was removed',
  finds: ['file-missing'],
  async prepare(patient) {
    const script = patient.write('worker.js', 'setInterval(() => undefined, 1e6);');
    await patient.rig.cli('start', script);
    rmSync(script);
  },
  verify({ fact, evidence }) {
    assert.match(String(evidence['path']), /\/worker\.js$/);
    assert.match(fact, /^"worker" could not be started again/);
  },
});

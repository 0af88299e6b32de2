import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the folder of an attempt is left, its shim was killed',
  finds: ['orphaned-run-folder'],
  heals: 'fix',
  async prepare(patient) {
    await patient.rig.request({ kind: 'delete', services: 'all' });
    await patient.rig.cli('daemon', 'stop');
    const folder = join(patient.home, 'run/ghost.0.1.abc');
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'journal'), 'shim 999999 1 - 0\n', { mode: 0o600 });
  },
  verify({ evidence }, patient) {
    assert.deepEqual(evidence['paths'], [join(patient.home, 'run/ghost.0.1.abc')]);
  },
});

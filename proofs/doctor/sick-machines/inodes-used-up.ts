import assert from 'node:assert/strict';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the disk of the home has no inodes left',
  finds: ['disk-inodes'],
  async prepare(patient) {
    const { ffree } = statfsSync(patient.place.disk);
    for (let left = ffree; left > 20; left--) writeFileSync(join(patient.place.disk, `file-${left}`), '');
  },
  verify({ fact, evidence, severity }) {
    assert.ok(Number(evidence['freeInodes']) <= 20);
    assert.match(fact, /of 3000 inodes are free/);
    assert.equal(severity, 'error');
  },
});

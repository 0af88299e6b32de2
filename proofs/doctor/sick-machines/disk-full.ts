import assert from 'node:assert/strict';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the disk of the home is full',
  finds: ['disk-space'],
  async prepare(patient) {
    const { bavail, bsize } = statfsSync(patient.place.disk);
    writeFileSync(join(patient.place.disk, 'fill'), Buffer.alloc(bavail * bsize - 2 * 1024 ** 2));
  },
  verify({ evidence, severity }) {
    assert.ok(Number(evidence['freeBytes']) < 3 * 1024 ** 2);
    assert.equal(severity, 'error');
  },
});

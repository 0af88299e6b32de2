import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'there are more rotated log files than are kept',
  finds: ['logs-beyond-limit'],
  heals: 'fix',
  async prepare(patient) {
    for (const number of [106, 109])
      writeFileSync(join(patient.home, `logs/web/out.log.${number}`), 'old\n', { mode: 0o600 });
  },
  verify({ fact, evidence }) {
    assert.equal((evidence['paths'] as string[]).length, 2);
    assert.match(fact, /2 rotated log files/);
  },
});

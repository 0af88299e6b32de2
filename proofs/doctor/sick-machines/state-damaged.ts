import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the desired state is damaged',
  finds: ['state-damaged'],
  async prepare(patient) {
    await patient.up({ worker: { command: ['/bin/sleep', '1000'] } }); // a second state: there is a previous one
    writeFileSync(join(patient.home, 'state.json.new'), 'torn');
  },
  verify({ fact, evidence }) {
    assert.match(fact, /state\.json\.new is not usable/);
    assert.ok(Array.isArray(evidence['notes']));
  },
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the desired state is damaged',
  finds: ['state-damaged'],
  heals: 'command',
  async prepare(patient) {
    await patient.up({ worker: { command: ['/bin/sleep', '1000'] } }); // a second state: there is a previous one
    writeFileSync(join(patient.home, 'state.json'), 'torn');
  },
  verify({ fact, evidence }) {
    assert.match(fact, /state\.json is not usable \(its header is incomplete\)/);
    assert.ok(Array.isArray(evidence['notes']));
  },
});

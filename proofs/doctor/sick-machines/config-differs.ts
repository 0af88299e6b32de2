import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a configuration file says something else than what runs',
  finds: ['config-differs'],
  heals: 'command',
  async prepare(patient) {
    const services = { web: { ...patient.web(), instances: 2, stop: { grace: '3s' } } };
    patient.write('upkeep.config.json', JSON.stringify({ services }));
  },
  verify({ fact, evidence }) {
    assert.deepEqual(evidence['keys'], ['instances', 'stop.graceMs']);
    assert.match(fact, /differs from what runs in instances and stop\.graceMs$/);
  },
});

import assert from 'node:assert/strict';
import { app, Rig } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'two homes run the same service',
  finds: ['run-twice'],
  heals: 'command',
  async prepare(patient) {
    const worker = { worker: { script: app('waits-forever.js') } };
    await patient.up(worker);
    const other = await Rig.create();
    await other.up(worker);
  },
  verify({ fact, evidence, command }, patient) {
    const runs = evidence['runs'] as { supervisor: string; pid: number }[];
    assert.equal(new Set(runs.map(({ supervisor }) => supervisor)).size, 2);
    assert.ok(fact.includes(patient.home));
    assert.match(command, /^UPKEEP_HOME=\S+ upkeep delete worker$/);
  },
});

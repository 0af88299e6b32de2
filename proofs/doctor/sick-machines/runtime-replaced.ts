import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { app } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the Node.js of a running service was replaced',
  finds: ['runtime-replaced'],
  heals: 'command',
  async prepare(patient) {
    const node = patient.copyNode();
    await patient.up({ worker: { script: app('waits-forever.js'), interpreter: node } });
    await patient.pidOf('worker');
    renameSync(patient.copyNode('newer'), node);
  },
  verify({ fact, evidence }) {
    assert.match(fact, /worker\.0 \(pid \d+\) runs an older .*\/runtimes\/node/);
    assert.ok(Number(evidence['pid']) > 0);
  },
});

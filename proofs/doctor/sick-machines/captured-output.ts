import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

const PARENT = "console.log('child', require('child_process').exec('exec sleep 1000').pid);\n";

export const sickness = defineSickness({
  where: 'a server is a child whose output its parent collects',
  finds: ['captured-output'],
  async prepare(patient) {
    const script = patient.write('parent.cjs', PARENT);
    await patient.up({ worker: { script } });
    await patient.rig.untilLogged('worker', 'child');
  },
  verify({ fact, evidence }) {
    assert.match(fact, /reads the output of its child pid \d+ \(sleep 1000\); if it does so by exec/);
    assert.notEqual(evidence['parent'], evidence['child']);
  },
});

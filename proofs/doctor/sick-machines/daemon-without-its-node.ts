import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { CLI } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the Node.js of the daemon was removed',
  finds: ['runtime-gone'],
  heals: 'command',
  async prepare(patient) {
    const node = patient.copyNode();
    await patient.rig.cli('daemon', 'stop');
    await patient.shell(`${node} ${CLI} daemon start`);
    rmSync(node);
  },
  verify({ fact, evidence }) {
    assert.match(fact, /^the daemon \(pid \d+\) runs .*\/runtimes\/node, which was deleted/);
    assert.equal(evidence['who'], 'the daemon');
  },
});

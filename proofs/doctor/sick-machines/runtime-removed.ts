import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { app, CLI } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the Node.js of a running service was removed',
  finds: ['runtime-gone'],
  heals: 'command',
  async prepare(patient) {
    const node = patient.copyNode();
    await patient.shell(`${node} ${CLI} start ${app('waits-forever.js')} --name worker`);
    await patient.pidOf('worker');
    rmSync(node);
  },
  verify({ fact, evidence }) {
    assert.match(fact, /worker\.0 \(pid \d+\) runs .*\/runtimes\/node, which was deleted/);
    assert.match(String(evidence['path']), /\/runtimes\/node$/);
  },
});

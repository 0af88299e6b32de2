import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a daemon of PM2 runs on a Node.js that was removed',
  finds: ['pm2-daemon'],
  async prepare(patient) {
    const node = patient.copyNode();
    await patient.startPm2('/srv/.pm2', [], node);
    rmSync(node);
  },
  verify({ fact, evidence, severity }) {
    assert.match(fact, /its executable .*\/runtimes\/node is gone/);
    assert.equal(evidence['isExecutableGone'], true);
    assert.equal(severity, 'error');
  },
});

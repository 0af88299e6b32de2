import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the daemon holds its lock and does not answer',
  finds: ['daemon-not-answering'],
  heals: 'command',
  async prepare(patient) {
    const { pid } = await patient.rig.client.call('daemon');
    process.kill(pid, 'SIGSTOP');
  },
  verify({ fact, evidence }) {
    assert.match(fact, /^pid \d+ \(.*daemon\.js\) holds .*daemon\.lock since .* and does not answer/);
    assert.ok(Number(evidence['pid']) > 0);
  },
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the daemon may open few files',
  finds: ['open-files-limit'],
  heals: 'command',
  async prepare(patient) {
    const { pid } = await patient.rig.client.call('daemon');
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=256:256']);
  },
  verify({ fact, evidence }) {
    const [process] = evidence['processes'] as { who: string; limit: number }[];
    assert.equal(process?.who, 'the daemon');
    assert.equal(process?.limit, 256);
    assert.match(fact, /the daemon \(pid \d+\) has \d+ of 256/);
  },
});

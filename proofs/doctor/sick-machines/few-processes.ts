import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { SECOND_USER } from '../support/isolation.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a service of another user may start few processes',
  finds: ['process-limit'],
  async prepare(patient) {
    await patient.up({ worker: { command: ['/bin/sleep', '1000'], user: 'second' } });
    execFileSync('prlimit', ['--pid', String(await patient.pidOf('worker')), '--nproc=20:20'], SECOND_USER);
  },
  verify({ evidence }) {
    const [process] = evidence['processes'] as { uid: number; limit: number }[];
    assert.equal(process?.uid, 1001);
    assert.equal(process?.limit, 20);
  },
});

import assert from 'node:assert/strict';
import { app } from '../../../test/rig/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a service is in a crash loop',
  finds: ['crash-loop'],
  async prepare(patient) {
    const restart = { policy: 'always', delay: '10ms', maxDelay: '10ms', limit: 3, retry: '60s' } as const;
    await patient.up({ broken: { command: ['/bin/sh', app('exits-at-once.sh')], restart } });
    await patient.rig.untilInstance('broken', ({ status }) => status === 'crashed');
  },
  verify({ fact, evidence }) {
    assert.match(
      fact,
      /"broken" is in a crash loop, it ended \d+ times within the last hour, last: exit code 3/,
    );
    assert.equal(evidence['exit'], 'exit code 3');
  },
});

import assert from 'node:assert/strict';
import { defineSickness } from '../support/sickness.js';

const FLAKY = 'if [ "$UPKEEP_ATTEMPT" -lt 8 ]; then exit 1; fi; exec sleep 1000\n';

export const sickness = defineSickness({
  where: 'a service is restarted often',
  finds: ['restarts-often'],
  async prepare(patient) {
    const script = patient.write('flaky.sh', FLAKY, 0o755);
    const restart = { policy: 'always', delay: '10ms', maxDelay: '10ms', limit: 50 } as const;
    await patient.up({ flaky: { command: ['/bin/sh', script], restart } });
    await patient.rig.untilInstance('flaky', ({ attempt, status }) => attempt === 8 && status === 'running');
  },
  verify({ fact, evidence }) {
    assert.match(fact, /"flaky" ended 7 times within the last hour, last: exit code 1/);
    assert.equal(evidence['ends'], 7);
  },
});

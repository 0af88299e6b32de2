import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'a change was accepted long ago and has not ended',
  finds: ['operation-unfinished', 'daemon-not-running'],
  async prepare(patient) {
    const { id, requester } = await patient.rig.request({ kind: 'restart', services: ['web'] });
    await patient.rig.cli('daemon', 'stop');
    const acceptedAt = new Date(Date.now() - 600_000).toISOString();
    const step = { service: 'web', action: 'restart', status: 'pending', startedAt: null, finishedAt: null };
    const view = { id: String(Number(id) + 1), kind: 'restart', status: 'queued', requester, joined: [] };
    const accepted = {
      type: 'accepted',
      request: { kind: 'restart', services: ['web'] },
      view: { ...view, acceptedAt, startedAt: null, finishedAt: null, steps: [step] },
      baseline: {},
    };
    appendFileSync(join(patient.home, 'operations.jsonl'), `${JSON.stringify(accepted)}\n`);
  },
  verify({ fact, evidence }) {
    assert.match(fact, /operation \d+ \(restart web\) was accepted 10m( \ds)? ago and has not ended/);
    assert.deepEqual(evidence['services'], ['web']);
  },
});

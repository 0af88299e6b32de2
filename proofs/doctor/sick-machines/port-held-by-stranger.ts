import assert from 'node:assert/strict';
import { SECOND_USER } from '../support/isolation.js';
import { defineSickness } from '../support/sickness.js';

const STRANGER = (port: number): string =>
  `require('net').createServer().listen(${port}, () => console.log('ready'))`;

export const sickness = defineSickness({
  where: 'somebody else listens on the port of a service',
  finds: ['port-held-by-stranger', 'restarts-often'],
  async prepare(patient) {
    await patient.rig.request({ kind: 'stop', services: ['web'] });
    await patient.start(process.execPath, ['-e', STRANGER(patient.port)], SECOND_USER);
    await patient.rig.request({ kind: 'start', services: ['web'] });
  },
  verify({ fact, evidence }, patient) {
    assert.match(
      fact,
      new RegExp(`port ${patient.port} of "web" is held by pid \\d+ .*, uid 1001, since \\d{4}-`),
    );
    assert.equal(evidence['uid'], 1001);
  },
});

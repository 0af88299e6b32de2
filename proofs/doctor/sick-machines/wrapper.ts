import assert from 'node:assert/strict';
import { readCommand } from '../../../src/system/index.js';
import type { Patient } from '../support/patient.js';
import { defineSickness } from '../support/sickness.js';

const readCommands = ({ rig }: Patient): string[] => rig.processes().map(({ pid }) => readCommand(pid) ?? '');

export const sickness = defineSickness({
  where: 'a shell stands in front of the server',
  finds: ['wrapper'],
  async prepare(patient) {
    await patient.up({ worker: { command: ['/bin/sh', '-c', 'sleep 1000; true'] } });
    await patient.rig.until('the shell has a child', () => readCommands(patient).includes('sleep 1000'));
  },
  verify({ fact, evidence }) {
    const [wrapper] = evidence['wrappers'] as { command: string }[];
    assert.equal(wrapper?.command, '/bin/sh -c sleep 1000; true');
    assert.match(fact, /stands in front of pid \d+ \(sleep 1000\)/);
  },
});

import assert from 'node:assert/strict';
import { pretendOomKills } from '../support/isolation.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the kernel ended processes for want of memory',
  finds: ['oom-kills'],
  async prepare(patient) {
    pretendOomKills(patient.place.folder, 3);
  },
  verify({ fact, evidence }) {
    assert.equal(evidence['oomKills'], 3);
    assert.match(fact, /ended 3 processes for want of memory/);
  },
});

/**
 * Children that refuse to end, cannot start or misuse their output: each gets its documented outcome, nobody is left.
 *
 * The outcomes stand in docs/supervision.md, section "Hostile children". After each case its service is deleted, and
 * /proc is searched for every process that was ever seen below it.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { Rig } from '../../test/rig/index.js';
import { CANNOT_START } from './hostile-children/cannot-start.js';
import { CaseStage, type Case, type Finding } from './hostile-children/case.js';
import { MISUSES_ITS_OUTPUT } from './hostile-children/misuses-its-output.js';
import { REFUSES_TO_END } from './hostile-children/refuses-to-end.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const cases = [...REFUSES_TO_END, ...CANNOT_START, ...MISUSES_ITS_OUTPUT].filter(({ child }) =>
  child.includes(values.only),
);

await using rig = await Rig.create();
const daemon = await rig.client.call('daemon');
let seen = 0;
for (const [index, hostile] of cases.entries()) {
  const stage = new CaseStage(rig, `child-${index + 1}`, Number(values.scale));
  const finding = await provoke(hostile, stage);
  await stage.delete();
  assert.deepEqual(stage.leftovers(), [], `${hostile.child}: nobody is left`);
  seen += stage.seen.size;
  console.log(
    `${stage.service}  ${hostile.child}\n          ${finding.outcome}\n          ${finding.message}`,
  );
}
assert.equal((await rig.client.call('daemon')).pid, daemon.pid, 'the daemon lived through all of it');
console.log(
  `\n${cases.length} hostile children, ${seen} processes seen below them, 0 left over, the daemon unharmed`,
);

async function provoke({ child, run }: Case, stage: CaseStage): Promise<Finding> {
  try {
    return await run(stage);
  } catch (cause) {
    throw new Error(`A child that ${child}: ${(cause as Error).message}`, { cause });
  }
}

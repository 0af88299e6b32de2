import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FolderAlarm } from './folder-alarm.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'upkeep-alarm-'))));
afterEach(() => rmSync(folder, { recursive: true }));

for (const [what, write] of [
  ['a line is written', () => appendFileSync(join(folder, 'out.log'), 'a line\n')],
  ['a file is made', () => writeFileSync(join(folder, `${performance.now()}.log`), '')],
  ['a folder is made', () => void mkdtempSync(join(folder, 'api-'))],
] as const)
  test(`an alarm rings when ${what}, and never again`, async () => {
    writeFileSync(join(folder, 'out.log'), '');
    let rung = 0;
    FolderAlarm.set(folder, () => rung++);
    await untilRung(write);
    await untilRung(write);
    assert.equal(rung, 1);
  });

test('an alarm that was ended does not ring, and there is none where there is no folder', async () => {
  assert.equal(
    FolderAlarm.set(join(folder, 'gone'), () => undefined),
    undefined,
  );
  const ended = FolderAlarm.set(folder, () => assert.fail('it rang'));
  ended?.end();
  await untilRung(() => appendFileSync(join(folder, 'out.log'), 'a line\n'));
});

/** Another alarm, set later than the others, has rung for it: they are told first. */
async function untilRung(write: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const deadline = setTimeout(reject, 10_000, new Error('no alarm rings')); // alarms keep nobody alive
    FolderAlarm.set(folder, () => {
      clearTimeout(deadline);
      resolve();
    });
    write();
  });
}

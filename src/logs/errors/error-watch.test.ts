import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WrittenLog } from '../written-log.js';
import { ErrorWatch } from './error-watch.js';

const TRACE = 'TypeError: x is not a function\n    at pay (/srv/pay.js:4:2)\n';

test('who asks knows what was written by now; what may go on of those that are meant is waited for, though not for long', async () => {
  const log = new WrittenLog();
  let now = 1_700_000_000_000;
  const home = join(log.folder, 'home');
  mkdirSync(join(home, 'logs'), { recursive: true });
  symlinkSync(log.folder, join(home, 'logs', 'api'));
  const watch = new ErrorWatch({
    home,
    wall: () => new Date(now),
    hide: () => (line) => line,
    emit: () => undefined,
    onInternalError: (error) => assert.fail(error as Error),
  });
  const { book } = watch.watch('api')!;
  log.write(0, TRACE, [{ instance: 0, attempt: 2, begunAt: now, at: now, offset: 0 }]);
  const catchUp = async (attempt: number): Promise<string[]> => {
    await watch.catchUp('api', (record) => record.instance === 0 && record.attempt === attempt);
    return book.kinds.map(({ title }) => title);
  };
  let isOver = false;
  const meant = catchUp(2).finally(() => (isOver = true));
  assert.deepEqual(await catchUp(1), [], 'of another one nothing is waited for');
  assert.equal(isOver, false);
  assert.deepEqual(await meant, [], 'it may still go on');
  now += 1000;
  assert.deepEqual(await catchUp(2), ['TypeError: x is not a function']);
  await watch.catchUp('gone', () => true);
  await watch.close();
  await watch.catchUp('api', () => true);
  log.remove();
});

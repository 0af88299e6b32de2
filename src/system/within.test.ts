import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { withDeadline } from './within.js';

const LIMIT_MS = 100;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('a deadline falls, also where the collector runs before it', async (context) => {
  const collecting = setInterval(collect, LIMIT_MS / 10);
  context.after(() => clearInterval(collecting));
  const outer = new AbortController();
  const never = (signal: AbortSignal): Promise<void> => delay(60_000, undefined, { signal });
  await assert.rejects(withDeadline(outer.signal, LIMIT_MS, never), ({ cause }: Error) => {
    assert.match(String(cause), /it took longer than 100 ms/);
    return true;
  });
  const stopped = withDeadline(outer.signal, 60_000, never);
  outer.abort();
  await assert.rejects(stopped, { name: 'AbortError' });
});

test('work that ends in time is told, and its deadline keeps nothing alive', async () => {
  const signal = await withDeadline(new AbortController().signal, LIMIT_MS, (given) =>
    Promise.resolve(given),
  );
  await delay(2 * LIMIT_MS);
  assert.equal(signal.aborted, false);
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Requester } from '../protocol/index.js';
import { Journal } from '../store/index.js';
import { Operations } from './operations.js';

const SOMEBODY: Requester = { uid: 0, pid: 1, command: null, service: null, instance: null, attempt: null };

test('what ended is remembered up to a number of steps: operations on a thousand services do not add up', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-operations-'));
  const path = join(folder, 'operations.jsonl');
  const journal = new Journal(path, { maxBytes: 1024 * 1024 });
  const names = Array.from({ length: 1000 }, (_, index) => `service-${index}`);
  const operations: Operations = new Operations(journal, {
    plan: () => names.map((service) => ({ service, action: 'restart' })),
    attempts: () => ({}),
    perform: async (operation) => {
      for (const step of operation.steps) operations.endStep(operation, step, 'done');
      await Promise.resolve();
    },
    onChange: () => undefined,
    now: () => new Date().toISOString(),
  });
  operations.load();
  for (let count = 0; count < 40; count++) {
    const { id } = await operations.request({ kind: 'restart', services: 'all' }, SOMEBODY);
    await operations.untilEnded(id);
  }
  const kept = operations.list(Infinity).map(({ id }) => Number(id));
  assert.ok(kept.length >= 5 && kept.length <= 11, `${kept.length} are kept`);
  assert.deepEqual([kept[0], kept.at(-1)], [40, 41 - kept.length]);
  await operations.close();
  assert.ok(statSync(path).size < 4 * 1024 * 1024, 'and so the journal can be renewed');
  rmSync(folder, { recursive: true });
});

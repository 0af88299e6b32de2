import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Requester } from '../protocol/index.js';
import { Journal } from '../store/index.js';
import { Operations } from './operations.js';
import { Performer, type PerformerHost } from './performer.js';

const SOMEBODY: Requester = { uid: 0, pid: 1, command: null, service: null, instance: null, attempt: null };

test('who waits for an operation hears of a mistake of upkeep itself before its steps', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-performer-'));
  const told: unknown[] = [];
  const host = {
    services: new Map(),
    create: () => {
      throw new Error('made up');
    },
    save: () => Promise.resolve(),
    onInternalError: (error: unknown) => told.push(error),
  } as unknown as PerformerHost;
  const performer = new Performer(host, () => operations);
  const operations: Operations = new Operations(
    new Journal(join(folder, 'operations.jsonl'), { maxBytes: 1024 * 1024 }),
    {
      plan: () => ['api', 'web'].map((service) => ({ service, action: 'create' })),
      attempts: () => ({}),
      perform: (operation) => performer.perform(operation),
      onChange: () => undefined,
      now: () => new Date().toISOString(),
    },
  );
  operations.load();
  const { id } = await operations.request({ kind: 'restart', services: 'all' }, SOMEBODY);
  const { status, steps } = await operations.untilEnded(id);
  assert.equal(status, 'failed');
  assert.deepEqual(
    steps.map(({ failure }) => failure?.message),
    Array.from({ length: 2 }, () => 'Internal error: made up'),
  );
  assert.equal(told.length, 1);
  await operations.close();
  rmSync(folder, { recursive: true });
});

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { isShort } from '../core/index.js';
import type { NewEvent } from '../protocol/index.js';
import { readDisk } from '../system/index.js';
import { DiskWatch } from './disk-watch.js';

test('what a former daemon has told of the disk is over where it has room by now, and nothing is told of what stays', () => {
  const told = (wasShort: boolean): unknown[] => {
    const events: NewEvent[] = [];
    new DiskWatch(tmpdir(), wasShort, (event) => events.push(event)).end();
    return events.map((event) => event.type === 'disk' && [event.path, event.isShort]);
  };
  const isNow = isShort(readDisk(tmpdir()));
  assert.deepEqual(told(!isNow), [[tmpdir(), isNow]]);
  assert.deepEqual(told(isNow), []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEntry } from '../../protocol/index.js';
import { createLogFormat } from './log.js';

const ENTRY: LogEntry = {
  service: 'api',
  instance: null,
  attempt: null,
  stream: 'out',
  at: null,
  lines: ['hello'],
  level: null,
  message: null,
  fields: null,
};

test('the origin is told where several are mixed', () => {
  assert.equal(createLogFormat(['api', 'web'])(ENTRY), 'api | hello');
  assert.equal(createLogFormat([])({ ...ENTRY, instance: 1 }), 'api.1 | hello');
  assert.equal(createLogFormat(['api'])({ ...ENTRY, instance: 1 }), 'api.1 | hello');
});

test('the line stands alone where one service was asked for, or raw lines', () => {
  assert.equal(createLogFormat(['api'])(ENTRY), 'hello');
  assert.equal(createLogFormat([], true)({ ...ENTRY, instance: 1 }), 'hello');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../protocol/index.js';
import { createLogFormat } from './log.js';

const LINE: LogLine = { service: 'api', instance: null, stream: 'out', line: 'hello' };

test('the origin is told where several are mixed', () => {
  assert.equal(createLogFormat(['api', 'web'])(LINE), 'api | hello');
  assert.equal(createLogFormat([])({ ...LINE, instance: 1 }), 'api.1 | hello');
  assert.equal(createLogFormat(['api'])({ ...LINE, instance: 1 }), 'api.1 | hello');
});

test('the line stands alone where one service was asked for, or raw lines', () => {
  assert.equal(createLogFormat(['api'])(LINE), 'hello');
  assert.equal(createLogFormat([], true)({ ...LINE, instance: 1 }), 'hello');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordAssembler } from './record-assembler.js';

test('a stack trace is one record, and the line after it another', () => {
  const trace = [
    'TypeError: x is undefined',
    '    at run (/srv/app/db.js:10:5)',
    '    at /srv/app/index.js:3:1',
  ];
  const assembler = new RecordAssembler();
  assert.equal(assembler.push('listening'), null);
  assert.deepEqual(assembler.push(trace[0]!), ['listening']);
  assert.equal(assembler.push(trace[1]!), null);
  assert.equal(assembler.push(trace[2]!), null);
  assert.deepEqual(assembler.push('GET /'), trace);
  assert.deepEqual(assembler.flush(), ['GET /']);
  assert.equal(assembler.flush(), null);
});

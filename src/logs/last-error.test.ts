import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastError, type LastOutput } from './last-error.js';

const PYTHON = [
  'Traceback (most recent call last):',
  '  File "/srv/a.py", line 4, in <module>',
  '    fail()',
  'ValueError: no',
];

function last(lines: readonly string[], times: Partial<LastOutput> = {}): string | null {
  const error = lastError({ lines, errAt: 1000, outAt: undefined, endedAt: 1010, ...times });
  return error && `${error.type}: ${error.message} (${error.at})`;
}

test('the last record of stderr is the reason, whatever came before', () => {
  assert.equal(
    last(['starting', 'Error: an old one', '    at old.js:1:1', ...PYTHON]),
    'ValueError: no (a.py:4)',
  );
});

test('what runtimes and wrappers add is no record of its own', () => {
  const node = [
    '/srv/a.js:3',
    '  throw new TypeError("x")',
    '  ^',
    '',
    'TypeError: x',
    '    at f (/srv/a.js:3:9)',
  ];
  const added = ['', 'Node.js v20.20.2', 'npm error Lifecycle script `start` failed with error:', ''];
  assert.equal(last([...node, ...added]), 'TypeError: x (a.js:3)');
});

test('who said something else since did not end by it', () => {
  assert.equal(last([...PYTHON, 'going on']), null);
  assert.equal(last(PYTHON, { outAt: 1500 }), null);
});

test('who lived on after it did not end by it', () => {
  assert.equal(last(PYTHON, { endedAt: 5000 }), null);
  assert.equal(last(PYTHON, { errAt: undefined }), null);
});

test('what a runtime holds back until its end was written before', () => {
  assert.equal(last(PYTHON, { outAt: 1060 }), 'ValueError: no (a.py:4)');
});

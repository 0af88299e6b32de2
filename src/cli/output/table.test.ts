import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, truncate, type Column } from './table.js';

const COLUMNS: readonly Column[] = [
  { title: 'NAME', minWidth: 4 },
  { title: 'PID', align: 'right' },
  { title: 'WHY', minWidth: 6, isOptional: true },
];

test('columns are as wide as their widest cell, numbers to the right, nothing trails', () => {
  const rows = [
    ['api', '7', ''],
    ['worker', '4121', 'exit code 1'],
  ];
  assert.equal(
    formatTable(COLUMNS, rows),
    ['NAME     PID  WHY', 'api        7', 'worker  4121  exit code 1'].join('\n'),
  );
});

test('an optional column without values is left out', () => {
  assert.equal(formatTable(COLUMNS, [['api', '7', '']]), 'NAME  PID\napi     7');
});

test('where the width is short, the last flexible column gives way first, then the one before', () => {
  const rows = [['a-long-name', '4121', 'exit code 1']];
  const widths = (width: number) => formatTable(COLUMNS, rows, { width }).split('\n')[1];
  assert.equal(widths(30), 'a-long-name  4121  exit code 1');
  assert.equal(widths(27), 'a-long-name  4121  exit co…');
  assert.equal(widths(22), 'a-long-…  4121  exit …');
  assert.equal(widths(10), 'a-l…  4121  exit …');
});

test('paint does not count as width', () => {
  const paint = (text: string) => `<${text}>`;
  assert.equal(formatTable(COLUMNS, [[{ text: 'api', paint }, '7', 'x']]), 'NAME  PID  WHY\n<api>     7  x');
});

test('control characters in a cell become blanks', () => {
  assert.equal(formatTable([{ title: 'WHY' }], [['a\n\u001b[31mb\tc']]), 'WHY\na [31mb c');
});

test('truncation keeps the width and marks itself', () => {
  assert.equal(truncate('abcdef', 6), 'abcdef');
  assert.equal(truncate('abcdef', 5), 'abcd…');
});

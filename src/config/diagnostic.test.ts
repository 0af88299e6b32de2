import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostics, formatPath, sortDiagnostics, toDiagnostic, type Problem } from './diagnostic.js';

const SOURCE = { file: 'upkeep.config.yaml', text: 'services:\n  api:\n    instances: two\n' };
const PROBLEM: Problem = {
  severity: 'error',
  path: ['services', 'api', 'instances'],
  message: '"two" is not a whole number',
  hint: 'write instances: 2',
};

test('a diagnostic is printed with its place, its line and its hint', () => {
  const diagnostic = toDiagnostic(PROBLEM, SOURCE, { line: 3, column: 16, length: 3 });
  assert.equal(
    formatDiagnostics([diagnostic]),
    [
      'upkeep.config.yaml:3:16 services.api.instances: "two" is not a whole number',
      '  3 |     instances: two',
      '                     ^^^',
      '  hint: write instances: 2',
    ].join('\n'),
  );
});

test('a warning says that it is one', () => {
  const diagnostic = toDiagnostic({ ...PROBLEM, severity: 'warning' }, SOURCE, null);
  assert.match(formatDiagnostics([diagnostic]), /^upkeep\.config\.yaml warning: services\.api/);
});

test('diagnostics are sorted by position, and the same one is said once', () => {
  const at = (line: number) => toDiagnostic(PROBLEM, SOURCE, { line, column: 1, length: 1 });
  assert.deepEqual(
    sortDiagnostics([at(3), at(1), at(3), at(2)]).map(({ line }) => line),
    [1, 2, 3],
  );
});

test('a path is written as in JavaScript', () => {
  assert.equal(formatPath(['services', 0, 'env', 'my key']), 'services[0].env["my key"]');
});

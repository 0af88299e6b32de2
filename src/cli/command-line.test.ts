import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseVariables, toCommandLine } from './command-line.js';

test('a variable has the value given or that of the shell', () => {
  const shellEnv = { TOKEN: 'abc', EMPTY: '' };
  assert.deepEqual(parseVariables(['A=1=2', 'B=', 'TOKEN', 'EMPTY'], shellEnv), {
    A: '1=2',
    B: '',
    TOKEN: 'abc',
    EMPTY: '',
  });
  assert.throws(() => parseVariables(['MISSING'], shellEnv), {
    code: 'usage',
    message: 'Cannot run "upkeep start": "--env MISSING": the shell has no such variable',
  });
});

test('options are translated one by one', () => {
  const line = toCommandLine({
    values: { instances: 'max', port: ['80', '443'], 'kill-scope': 'process', 'env-file': ['.env'] },
    operands: ['app.js'],
    rest: ['--x'],
  });
  assert.deepEqual(Object.fromEntries(Object.entries(line).filter(([, value]) => value !== undefined)), {
    target: 'app.js',
    args: ['--x'],
    instances: 'max',
    ports: [80, 443],
    envFiles: ['.env'],
    killScope: 'process',
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { satisfies } from './node-range.js';

const CASES: readonly (readonly [range: string, inside: readonly string[], outside: readonly string[]])[] = [
  ['*', ['0.12.0', '26.0.0'], []],
  ['', ['20.1.2'], []],
  ['20', ['20.0.0', '20.99.1'], ['19.9.9', '21.0.0']],
  ['v20.11', ['20.11.0', '20.11.9'], ['20.10.9', '20.12.0']],
  ['20.11.1', ['20.11.1'], ['20.11.0', '20.11.2']],
  ['20.x', ['20.0.0', '20.5.5'], ['21.0.0']],
  ['>=18', ['18.0.0', '24.1.0'], ['17.9.9']],
  ['>= 18.12 < 21', ['18.12.0', '20.9.9'], ['18.11.9', '21.0.0']],
  ['>18', ['19.0.0'], ['18.9.9']],
  ['>18.1.0', ['18.1.1'], ['18.1.0']],
  ['<=20', ['20.9.9', '4.0.0'], ['21.0.0']],
  ['<20', ['19.9.9'], ['20.0.0']],
  ['^18.12.1', ['18.12.1', '18.99.0'], ['18.12.0', '19.0.0']],
  ['^0.12.3', ['0.12.9'], ['0.13.0']],
  ['^0.0.3', ['0.0.3'], ['0.0.4']],
  ['~18.12.1', ['18.12.9'], ['18.13.0', '18.12.0']],
  ['~18', ['18.5.0'], ['19.0.0']],
  ['18 || >=20.1', ['18.3.0', '20.1.0', '22.0.0'], ['19.0.0', '20.0.9']],
  ['^18.0.0 || ^20.0.0', ['18.1.0', '20.1.0'], ['19.0.0', '21.0.0']],
  ['16 - 18', ['16.0.0', '18.9.9'], ['15.9.9', '19.0.0']],
];

for (const [range, inside, outside] of CASES) {
  test(`"${range}" is understood as npm does`, () => {
    for (const version of inside) assert.equal(satisfies(version, range), true, `${version} is in it`);
    for (const version of outside) assert.equal(satisfies(version, range), false, `${version} is not in it`);
  });
}

test('what is no plain range is not judged', () => {
  for (const range of ['lts/*', 'node', 'system', '>=18-rc', '20 || lts/iron'])
    assert.equal(satisfies('20.0.0', range), undefined, range);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPatternFault } from './pattern.js';

test('a regular expression has no fault', () => {
  for (const pattern of ['', 'a|b', '^\\d{3}$', '{"a":1}', '(?<=x)y'])
    assert.equal(findPatternFault(pattern), undefined, pattern);
});

test('a fault has its place', () => {
  const faults = Object.fromEntries(
    ['a(b', '(a)(b', 'a**', '(a**b)c', 'a)b', 'ab[z', '[z-a]', 'ab\\', 'a{3,1}'].map((pattern) => {
      const { column, fact } = findPatternFault(pattern)!;
      return [pattern, `${column} ${fact}`];
    }),
  );
  assert.deepEqual(faults, {
    'a(b': '2 unterminated group',
    '(a)(b': '4 unterminated group',
    'a**': '3 nothing to repeat',
    '(a**b)c': '4 nothing to repeat',
    'a)b': "2 unmatched ')'",
    'ab[z': '3 unterminated character class',
    '[z-a]': '4 range out of order in character class',
    'ab\\': '3 \\ at end of pattern',
    'a{3,1}': '6 numbers out of order in {} quantifier',
  });
});

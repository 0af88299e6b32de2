import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findJsonError } from './json-syntax.js';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('what JSON.parse accepts, and only that, has no error', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '1',
    '-0.5e3',
    '01',
    'true',
    'nul',
    ' ',
    '\n',
    "'b'",
  );
  const texts = fc.oneof(
    fc.json(),
    fc.array(pieces).map((parts) => parts.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => assert.equal(findJsonError(text) === undefined, isJson(text))),
    { numRuns: 2000 },
  );
});

test('the error lies within the text', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom('', '#', ',', '}'),
      (json, seed, junk) => {
        const at = seed % (json.length + 1);
        const error = findJsonError(json.slice(0, at) + junk);
        if (error) assert.ok(error.offset >= 0 && error.offset <= at + junk.length);
      },
    ),
  );
});

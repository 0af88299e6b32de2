import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineSearch } from './line-search.js';
import { requiredLiteral } from './required-literal.js';

const WORDS = ['foo', 'bar', 'ba', 'o', ' ', '\t', '\r', 'é', '💡', '{"a":1}', '1', '-', '\u2028'];
const line = fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((words) => words.join(''));
/** Also bytes that are no text. */
const bytes = fc
  .array(fc.oneof(line.map(Buffer.from), fc.uint8Array({ maxLength: 8 }).map(Buffer.from)), { maxLength: 40 })
  .map((parts) => Buffer.concat(parts.flatMap((part) => [part, Buffer.from('\n')])));

const atom = fc.constantFrom(
  'foo', 'bar', 'ba', 'o', '.', '\\s', '\\S', '\\d', '\\w', '[^x]', '[ab]', 'é', '💡', '\\b', '\\{', '"', '\\.',
  '\\x41', '(?:foo|1)', '(bar)', '(?=b)', '(?!\\s)', '(?<=o)', '\\n', '[\\]o]', '(a(b)?)', '{', 'x{2',
); // prettier-ignore
const quantified = fc
  .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '{0,2}', '{2}', '*?', '+?'))
  .filter(([piece, quantifier]) => quantifier === '' || isPattern(piece + quantifier))
  .map((parts) => parts.join(''));
const branch = fc
  .tuple(
    fc.constantFrom('', '', '^'),
    fc.array(quantified, { minLength: 1, maxLength: 5 }),
    fc.constantFrom('', '', '$'),
  )
  .map(([begin, middle, end]) => begin + middle.join('') + end);
const pattern = fc
  .array(branch, { minLength: 1, maxLength: 2 })
  .map((branches) => branches.join('|'))
  .filter(isPattern);

test('the first line that is found is the first one that matches by itself', () => {
  fc.assert(
    fc.property(pattern, bytes, fc.boolean(), (source, block, ignoresCase) => {
      assert.equal(lineSearch(source, { ignoresCase }).find(block), naive(source, block, ignoresCase));
    }),
    { numRuns: 3000 },
  );
});

test('whatever matches contains the required literal', () => {
  fc.assert(
    fc.property(pattern, line, (source, text) => {
      const literal = requiredLiteral(source);
      if (literal !== undefined && new RegExp(source).test(text)) assert.ok(text.includes(literal), literal);
    }),
    { numRuns: 3000 },
  );
});

test('literals are found where they are certain', () => {
  const literals = Object.fromEntries(
    ['timeout', 'GET /api/\\d+', 'a+bc*', 'x|y', '(?:abc)?de', '\\x41bc', '"level":50', 'a\\.b', '[abc]', 'ab{2}c']
      .map((source) => [source, requiredLiteral(source)]), // prettier-ignore
  );
  assert.deepEqual(literals, {
    timeout: 'timeout',
    'GET /api/\\d+': 'GET /api/',
    'a+bc*': 'a',
    'x|y': undefined,
    '(?:abc)?de': 'de',
    '\\x41bc': undefined,
    '"level":50': '"level":50',
    'a\\.b': 'a.b',
    '[abc]': undefined,
    'ab{2}c': 'a',
  });
});

function naive(source: string, block: Buffer, ignoresCase: boolean): number {
  const expression = new RegExp(source, ignoresCase ? 'i' : '');
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(0x0a, start);
    if (expression.test(block.toString('utf8', start, end))) return start;
    start = end + 1;
  }
  return -1;
}

function isPattern(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

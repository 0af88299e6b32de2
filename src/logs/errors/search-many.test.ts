import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SearchMany } from './search-many.js';

const ANY_CASE = ['rror', 'xcep', ' err', 'abab', '\nend', 'segmentat'];
const AS_WRITTEN = ['Fault', '\n<3>', 'aaaa'];
const SEARCH = new SearchMany(ANY_CASE, AS_WRITTEN);

function expected(text: string, from: number): number {
  const padded = from === 0 || text[from - 1] !== '\n' ? `${text.slice(0, from)}\n${text.slice(from)}` : text;
  const shift = padded.length - text.length;
  const starts = [
    ...ANY_CASE.map((word) => padded.toLowerCase().indexOf(word, Math.max(0, from - 1 + shift))),
    ...AS_WRITTEN.map((word) => padded.indexOf(word, Math.max(0, from - 1 + shift))),
  ].filter((at) => at >= 0);
  if (starts.length === 0) return -1;
  return Math.max(from, Math.min(...starts) - shift);
}

test('it finds the first of the words, wherever that stands', () => {
  const part = fc.oneof(
    fc.constantFrom(...ANY_CASE, ...AS_WRITTEN, 'ERROR', 'err', 'segm', 'fault', '\n', 'a', 'ab', 'rr'),
    fc.string({ maxLength: 20, unit: 'grapheme-ascii' }),
  );
  const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
  const noise = fc
    .integer({ min: 0, max: 3000 })
    .map((length) => 'status=200 time=12ms\n'.repeat(length / 20));
  fc.assert(
    fc.property(noise, text, noise, (before, middle, after) => {
      const all = before + middle + after;
      assert.equal(SEARCH.find(Buffer.from(all, 'latin1'), 0), expected(all, 0));
    }),
    { numRuns: 2000 },
  );
});

test('where it begins is taken for the beginning of a line', () => {
  assert.equal(SEARCH.find(Buffer.from('<3>x'), 0), 0);
  assert.equal(SEARCH.find(Buffer.from('a <3>x'), 0), -1);
  assert.equal(SEARCH.find(Buffer.from('END'), 0), 0);
  assert.equal(SEARCH.find(Buffer.from('x\n<3>x'), 2), 2);
});

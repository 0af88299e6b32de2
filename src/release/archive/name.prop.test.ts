import assert from 'node:assert/strict';
import { posix, win32 } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from './limits.js';
import { foldedPath, judgeName, partsOf } from './name.js';

const PARTS = [
  '..',
  '.',
  '',
  ' ',
  '...',
  'a',
  'A',
  'C:',
  'c:x',
  'con',
  '\\',
  '..\\',
  '\0',
  '\n',
  '\u202e',
  '\u200b',
  'ü',
  '~',
  '-rf',
];
const part = fc.oneof(
  fc.constantFrom(...PARTS),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
);
const name = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));

test('a name that is taken stays below the folder, by the rules of POSIX and of Windows', () => {
  fc.assert(
    fc.property(name, (each) => {
      if (judgeName(each, DEFAULT_LIMITS)) return;
      const below = posix.resolve('/root', each);
      assert.ok(below === '/root' || below.startsWith('/root/'), below);
      const onWindows = win32.resolve('D:\\root', each);
      assert.ok(onWindows === 'D:\\root' || onWindows.startsWith('D:\\root\\'), onWindows);
      assert.equal(posix.join('/root', ...partsOf(each)), below.replace(/\/$/, ''));
    }),
    { numRuns: 3000 },
  );
});

test('a name that is taken has no part that a file system reads differently', () => {
  fc.assert(
    fc.property(name, (each) => {
      if (judgeName(each, DEFAULT_LIMITS)) return;
      for (const one of partsOf(each)) {
        assert.notEqual(foldedPath([one]), '');
        assert.ok(!/[\p{Cc}\\/]/u.test(one));
        assert.ok(Buffer.byteLength(one) <= DEFAULT_LIMITS.maxNameBytes);
      }
    }),
    { numRuns: 3000 },
  );
});

test('two Unicode forms, and two cases, of a name are the same to some file system', () => {
  const letters = fc.string({ unit: fc.constantFrom(...Array.from('aÄöéñßσςжЖıkK한グ')) });
  fc.assert(
    fc.property(letters, (each) => {
      assert.equal(foldedPath([each.normalize('NFC')]), foldedPath([each.normalize('NFD')]));
      assert.equal(foldedPath([each]), foldedPath([each.toUpperCase()]));
      assert.equal(foldedPath([each]), foldedPath([`${each}. `]));
      assert.equal(foldedPath([each]), foldedPath([`\u200d${each}`]));
    }),
  );
});

test('names as people have them are taken', () => {
  const names = [
    './',
    './a/',
    'package/index.js',
    '.env',
    'a..b',
    'größe 数.txt',
    '@scope/x',
    'ab:c',
    'next/[...slug].js',
    '👩‍👧.md',
  ];
  for (const each of names) assert.equal(judgeName(each, DEFAULT_LIMITS), undefined, each);
});

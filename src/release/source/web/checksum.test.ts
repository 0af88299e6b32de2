import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { readDigest, readIntegrity, readSums } from './checksum.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

test('of several checksums of npm the strongest is taken', () => {
  const bytes = Buffer.from('x');
  const of = (algorithm: string): string => createHash(algorithm).update(bytes).digest('base64');
  const read = readIntegrity(`sha1-${of('sha1')} sha512-${of('sha512')}?opt`, 'it');
  assert.deepEqual(read, {
    algorithm: 'sha512',
    hex: createHash('sha512').update(bytes).digest('hex'),
    saidBy: 'it',
  });
  assert.equal(readIntegrity('md5-abc', 'it'), null);
});

test('what sha256sum prints is read by the name of the file, or where there is nothing but a checksum', () => {
  const sums = `${A}  other.tgz\n${B} *dist/app.tgz\n`;
  assert.equal(readSums(sums, 'app.tgz'), B);
  assert.equal(readSums(sums, 'none.tgz'), null);
  assert.equal(readSums(`${A.toUpperCase()}\r\n`, 'app.tgz'), A);
  assert.equal(readSums(`${A}  other.tgz\n`, 'app.tgz'), null);
  assert.equal(readSums('<html>', 'app.tgz'), null);
});

test('a digest is one of sha256 or none', () => {
  assert.equal(readDigest(`sha256:${A.toUpperCase()}`, 'it')?.hex, A);
  assert.equal(readDigest('sha512:abc', 'it'), null);
  assert.equal(readDigest(null, 'it'), null);
});

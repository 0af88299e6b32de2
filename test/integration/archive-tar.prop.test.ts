import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pax, tar, tarPiece } from '../rig/tar-bytes.js';
import { ByteSource } from '../../src/release/archive/byte-source.js';
import { Refused } from '../../src/release/archive/refusal.js';
import { readHeader } from '../../src/release/archive/tar/header.js';
import { readTar } from '../../src/release/archive/tar/read-tar.js';

const HONEST = tar(
  { name: 'lib/', type: '5', mode: 0o755 },
  { name: 'lib/a.txt', content: 'a'.repeat(700) },
  pax([['path', 'größe.txt']]),
  { name: 'short', content: 'b' },
  { name: 'l', type: '2', linkName: 'lib/a.txt' },
  { name: 'L', type: 'L', content: `${'n'.repeat(120)}\0` },
  { name: 'cut', content: '' },
);
const READ = [
  ['lib/', ''],
  ['lib/a.txt', 'a'.repeat(700)],
  ['größe.txt', 'b'],
  ['l', ''],
  ['n'.repeat(120), ''],
];

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, chunkBytes: number): Promise<string[][]> {
  const found: string[][] = [];
  for await (const { entry, content } of readTar(new ByteSource(inChunks(bytes, chunkBytes)))) {
    let text = '';
    for await (const chunk of content) text += chunk.toString();
    found.push([entry.name, text]);
  }
  return found;
}

test('a tar is read the same in chunks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), async (size) =>
      assert.deepEqual(await read(HONEST, size), READ),
    ),
    { numRuns: 50 },
  );
});

test('a tar that is cut off anywhere is refused as truncated', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: HONEST.length - 1 }), async (length) => {
      const isTruncated = (error: unknown): boolean =>
        error instanceof Refused && error.refusal.rule === 'truncated';
      await assert.rejects(read(HONEST.subarray(0, length), 512), isTruncated);
    }),
    { numRuns: 300 },
  );
});

test('a header in which a byte is another one is refused', () => {
  const block = tarPiece({ name: 'a.txt', mode: 0o644 }).subarray(0, 512);
  const outsideOfChecksum = fc.integer({ min: 0, max: 511 }).filter((at) => at < 148 || at >= 156);
  fc.assert(
    fc.property(outsideOfChecksum, fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(block);
      changed[at]! ^= change;
      const found = readHeader(changed);
      assert.equal('refusal' in found && found.refusal.rule, 'malformed');
    }),
    { numRuns: 1000 },
  );
});

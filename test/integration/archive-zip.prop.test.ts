import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { zip } from '../rig/zip-bytes.js';
import { Budget } from '../../src/release/archive/budget.js';
import { DEFAULT_LIMITS } from '../../src/release/archive/limits.js';
import { Refused } from '../../src/release/archive/refusal.js';
import { readZip } from '../../src/release/archive/zip/read-zip.js';

const work = mkdtempSync(join(tmpdir(), 'upkeep-zip-'));
after(() => rmSync(work, { recursive: true }));

const HONEST = zip([
  { name: 'lib/', mode: 0o040755 },
  { name: 'lib/größe.txt', content: 'a'.repeat(300), method: 8 },
  { name: 'b.txt', content: 'stored' },
  { name: 'l', content: 'b.txt', mode: 0o120777 },
]);

/** Name, and content or target. */
async function read(bytes: Buffer): Promise<string[][]> {
  const path = join(work, 'archive.zip');
  writeFileSync(path, bytes);
  const file = await open(path);
  try {
    const found: string[][] = [];
    const budget = new Budget(DEFAULT_LIMITS, bytes.length);
    for await (const { entry, content } of readZip({ file, bytes: bytes.length }, DEFAULT_LIMITS, budget)) {
      let text = entry.target ?? '';
      for await (const chunk of content) text += chunk.toString();
      found.push([entry.name, text]);
    }
    return found;
  } finally {
    await file.close();
  }
}

async function readOrRefused(bytes: Buffer): Promise<string[][] | undefined> {
  try {
    return await read(bytes);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return undefined;
  }
}

test('a zip in which a byte is another one is refused, or gives the same names with the same content', async () => {
  const honest = await read(HONEST);
  assert.equal(honest.length, 4);
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: HONEST.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const changed = Buffer.from(HONEST);
        changed[at]! ^= change;
        const found = await readOrRefused(changed);
        if (found) assert.deepEqual(found, honest);
        else refused++;
      },
    ),
    { numRuns: 600 },
  );
  assert.ok(refused > 300, `${refused} were refused`);
});

test('a zip that is cut off anywhere is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: HONEST.length - 1 }), async (length) => {
      assert.equal(await readOrRefused(HONEST.subarray(0, length)), undefined);
    }),
    { numRuns: 200 },
  );
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

test('docs/doctor.md has each finding, and no other', () => {
  const page = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([a-z0-9-]+)`\s+\| (?:error|warning|note)/gm)].map(
    ([, id = '']) => id,
  );
  const folder = join(ROOT, 'src/doctor/checks');
  const code = readdirSync(folder)
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const found = code.flatMap((text) => [...text.matchAll(/\bid: '([a-z0-9-]+)'/g)].map(([, id = '']) => id));
  assert.deepEqual([...new Set(found)].sort(), documented.toSorted());
});

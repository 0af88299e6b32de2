import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { syncTree } from './sync-tree.js';

test('a folder is synced with the program for it and without, and a missing one is told', async (context) => {
  const root = mkdtempSync(join(tmpdir(), 'upkeep-sync-'));
  const { PATH } = process.env;
  context.after(() => {
    process.env.PATH = PATH;
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, 'lib'));
  writeFileSync(join(root, 'lib', 'a.txt'), 'a');
  symlinkSync('nowhere', join(root, 'link'));

  for (const path of [PATH, root]) {
    process.env.PATH = path;
    await syncTree(root);
    await assert.rejects(syncTree(join(root, 'missing')), { code: 'ENOENT' });
  }
});

import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExplainedExit } from '../protocol/index.js';
import { ExitArchive } from './exit-archive.js';
import { madeUpEvidence, madeUpExit } from './made-up-evidence.js';
import { decideVerdict } from './verdict.js';

const verdict = decideVerdict(madeUpEvidence({ code: 1 }));

function ended(attempt: number): ExplainedExit {
  return { service: 'api', instance: 0, attempt, pid: 1, exit: madeUpExit({ attempt }), verdict };
}

test('exits are found again by the next daemon, newest first, and none twice', () => {
  const home = mkdtempSync(join(tmpdir(), 'upkeep-exits-'));
  const before = new ExitArchive(home);
  for (const attempt of [1, 2, 3]) assert.ok(before.add(ended(attempt)));
  const path = join(home, 'exits', 'api.jsonl');
  appendFileSync(path, '{"format":1,"service":"api","inst'); // a kill
  const archive = new ExitArchive(home);
  assert.equal(archive.headline('api', 0, 3), verdict.summary);
  assert.ok(!archive.add(ended(3)));
  assert.ok(archive.add(ended(4)));
  assert.deepEqual(
    archive.find('api', { limit: 3 }).exits.map(({ attempt }) => attempt),
    [4, 3, 2],
  );
  assert.equal(archive.find('api', { attempt: 1, limit: 1 }).exits.length, 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  rmSync(home, { recursive: true });
});

test('a file never grows beyond its bound, and keeps the newest', () => {
  const home = mkdtempSync(join(tmpdir(), 'upkeep-exits-'));
  const archive = new ExitArchive(home, 8192);
  for (let attempt = 1; attempt <= 100; attempt++) archive.add(ended(attempt));
  assert.ok(statSync(join(home, 'exits', 'api.jsonl')).size <= 8192);
  assert.equal(archive.find('api', { limit: 1 }).exits[0]!.attempt, 100);
  rmSync(home, { recursive: true });
});

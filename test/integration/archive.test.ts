import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS, extractArchive } from '../../src/release/index.js';
import { until } from '../rig/index.js';
import { snapshot } from '../rig/snapshot.js';
import { tar, tarPiece } from '../rig/tar-bytes.js';

const EXTRACTOR = fileURLToPath(new URL('../../dist/archive-extractor.js', import.meta.url));

function workFolder(context: TestContext): string {
  const work = mkdtempSync(join(tmpdir(), 'upkeep-archive-'));
  context.after(() => rmSync(work, { recursive: true }));
  return work;
}

test('a folder packed by tar is unpacked as it was, with modes of 0644 and 0755', async (context) => {
  const work = workFolder(context);
  const source = join(work, 'source');
  mkdirSync(join(source, 'bin'), { recursive: true });
  writeFileSync(join(source, 'bin', 'start'), '#!/bin/sh\n');
  writeFileSync(join(source, 'secret.txt'), 'text');
  chmodSync(join(source, 'bin', 'start'), 0o775);
  chmodSync(join(source, 'secret.txt'), 0o600);
  symlinkSync('bin/start', join(source, 'link'));
  execFileSync('tar', ['-czf', join(work, 'app.tgz'), '-C', source, '.']);

  const { entries, bytes, format } = await extractArchive(join(work, 'app.tgz'), join(work, 'app'));

  assert.deepEqual({ entries, bytes, format }, { entries: 5, bytes: 14, format: 'tar.gz' });
  const modeOf = (mode: number): number => (mode & 0o111 ? 0o755 : 0o644);
  assert.deepEqual(snapshot(join(work, 'app')), snapshot(source, { modeOf }));
  assert.equal(lstatSync(join(work, 'app')).mode & 0o7777, 0o755);
  assert.deepEqual(readdirSync(work).toSorted(), ['app', 'app.tgz', 'source']);
});

test('a refusal names the archive, the entry, the rule and the next step, and leaves nothing', async (context) => {
  const work = workFolder(context);
  const archive = join(work, 'app.tar');
  writeFileSync(
    archive,
    tar({ name: 'good.txt', content: 'good' }, { name: '../evil\u001b[2J', content: 'evil' }),
  );
  const escape = tar({ name: 'good.txt', content: 'good' }, { name: '../evil.txt', content: 'evil' });

  await assert.rejects(extractArchive(archive, join(work, 'app')), {
    code: 'archive-refused',
    message: `Cannot extract "${archive}": entry "../evil\\u001b[2J" has a control character in its name (rule control-character)`,
    hint: 'rename the file, and pack again',
  });
  writeFileSync(archive, escape);
  await assert.rejects(extractArchive(archive, join(work, 'app')), {
    code: 'archive-refused',
    message: `Cannot extract "${archive}": entry "../evil.txt" leads out of the folder with ".." (rule traversal)`,
    details: { rule: 'traversal', entry: '../evil.txt' },
  });
  assert.deepEqual(readdirSync(work), ['app.tar']);
});

test('limits are options', async (context) => {
  const work = workFolder(context);
  const archive = join(work, 'app.tar');
  const deep = `${'d/'.repeat(DEFAULT_LIMITS.maxDepth)}x`;
  writeFileSync(archive, tar({ name: deep.slice(64), prefix: deep.slice(0, 63), content: 'deep' }));

  await assert.rejects(extractArchive(archive, join(work, 'app')), /rule depth/);
  await extractArchive(archive, join(work, 'app'), { limits: { maxDepth: 65 } });
  assert.ok(existsSync(join(work, 'app', deep)));
  const nonsense = extractArchive(archive, join(work, 'other'), { limits: { maxEntries: 0 } });
  await assert.rejects(nonsense, { code: 'bad-request', message: /maxEntries is 0/ });
});

test('an archive is not unpacked over what is there, nor without a place, nor from nothing', async (context) => {
  const work = workFolder(context);
  const archive = join(work, 'app.tar');
  writeFileSync(archive, tar({ name: 'a', content: 'a' }));
  mkdirSync(join(work, 'there'));

  await assert.rejects(extractArchive(archive, join(work, 'there')), {
    code: 'bad-request',
    message: /exists$/,
  });
  await assert.rejects(extractArchive(archive, join(work, 'no', 'app')), { code: 'extract-failed' });
  await assert.rejects(extractArchive(join(work, 'none.tar'), join(work, 'app')), { code: 'bad-request' });
  const checked = extractArchive(archive, join(work, 'app'), { sha256: 'abc' });
  await assert.rejects(checked, { code: 'bad-request', message: /"abc" is no sha256/ });
  assert.deepEqual(readdirSync(work).toSorted(), ['app.tar', 'there']);
});

test('who gives up waiting leaves nothing', async (context) => {
  const work = workFolder(context);
  const archive = largeArchive(work);
  const giveUp = new AbortController();
  const extracting = extractArchive(archive, join(work, 'app'), { signal: giveUp.signal });
  const rejected = assert.rejects(extracting, { name: 'AbortError' });
  await until('something is unpacked', () => hasUnpacked(work));
  giveUp.abort();
  await rejected;
  assert.deepEqual(readdirSync(work), ['large.tar']);
});

test('the child clears away when whoever asked was killed', async (context) => {
  const work = workFolder(context);
  const archive = largeArchive(work);
  const staging = join(work, '.app.extracting-x');
  mkdirSync(staging);
  const child = spawn(process.execPath, [EXTRACTOR], { stdio: ['pipe', 'ignore', 'inherit'] });
  const job = { archive, folder: join(work, 'app'), staging, limits: DEFAULT_LIMITS };
  child.stdin.write(`${JSON.stringify(job)}\n`);
  await until('something is unpacked', () => hasUnpacked(work));
  child.stdin.end(); // as the kernel does for the dead
  await once(child, 'exit');
  assert.deepEqual(readdirSync(work), ['large.tar']);
});

/** Takes long enough to be interrupted; its content is a hole on the disk. */
function largeArchive(work: string): string {
  const path = join(work, 'large.tar');
  const size = 300 * 1024 ** 2;
  const header = tarPiece({ name: 'large.bin', size: `${size.toString(8).padStart(11, '0')}\0` });
  writeFileSync(path, header);
  truncateSync(path, header.length + size + 1024);
  return path;
}

function hasUnpacked(work: string): boolean {
  const staging = readdirSync(work).find((name) => name.startsWith('.app.extracting-'));
  return staging !== undefined && existsSync(join(work, staging, 'large.bin'));
}

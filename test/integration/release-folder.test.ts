import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeReadOnly } from '../../src/release/folder/read-only.js';
import { removeTree } from '../../src/release/folder/remove-tree.js';
import { discardRelease, makeCurrent, pruneReleases, readCurrent } from '../../src/release/index.js';

const NODE = process.execPath;
const PRINT_AND_WAIT = 'console.log("up"); setInterval(() => {}, 1000);';

/** A group with releases of these names, read-only as they are. */
function group(context: TestContext, ...names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-group-'));
  context.after(() => {
    for (const name of readdirSync(folder)) removeTree(join(folder, name));
    rmSync(folder, { recursive: true });
  });
  for (const name of names) {
    mkdirSync(join(folder, name, 'lib'), { recursive: true });
    writeFileSync(join(folder, name, 'lib/late.js'), '');
    makeReadOnly(join(folder, name));
  }
  return folder;
}

async function live(context: TestContext, argv: readonly string[], cwd: string): Promise<ChildProcess> {
  const child = spawn(argv[0]!, argv.slice(1), { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
  await once(child.stdout, 'data');
  return child;
}

const releasesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .toSorted();

test('current leads to a release by a relative link, and to another by one rename', async (context) => {
  const folder = group(context, '1', '2');
  assert.equal(readCurrent(folder), null);
  for (const name of ['1', '2', '2']) await makeCurrent(folder, join(folder, name));
  assert.equal(readCurrent(folder), join(folder, '2'));
  assert.equal(readlinkSync(join(folder, 'current')), '2');
  assert.deepEqual(readdirSync(folder).toSorted(), ['1', '2', 'current']);
});

test('who reads current while it is switched always finds a release', async (context) => {
  const folder = group(context, '1', '2');
  await makeCurrent(folder, join(folder, '1'));
  const script = `console.log("up"); let misses = 0, reads = 0; process.on('SIGTERM', () => { console.log(JSON.stringify({ misses, reads })); process.exit(); });
    setInterval(() => { for (let i = 0; i < 500; i++) { reads++; try { fs.statSync('current/lib/late.js'); } catch { misses++; } } }, 0);`;
  const reader = await live(context, [NODE, '-e', script], folder);
  for (let round = 0; round < 200; round++) await makeCurrent(folder, join(folder, `${(round % 2) + 1}`));
  reader.kill('SIGTERM');
  const [said] = (await once(reader.stdout!, 'data')) as [Buffer];
  const { misses, reads } = JSON.parse(String(said)) as { misses: number; reads: number };
  assert.equal(misses, 0);
  assert.ok(reads > 0);
});

test('what is no release of the group never becomes current', async (context) => {
  const folder = group(context, '1');
  await makeCurrent(folder, join(folder, '1'));
  await assert.rejects(makeCurrent(folder, tmpdir()), { message: /it does not lie in ".+"$/ });
  await assert.rejects(makeCurrent(folder, join(folder, '7')), { message: /there is no such folder$/ });
  assert.equal(readCurrent(folder), join(folder, '1'));
  rmSync(join(folder, 'current'));
  mkdirSync(join(folder, 'current'));
  await assert.rejects(makeCurrent(folder, join(folder, '1')), { message: /"\/.+\/current" is no link$/ });
});

test('old releases go by number, and neither the current one nor the last good one does', async (context) => {
  const folder = group(context, '2-1.0.0', '3-1.0.1', '4', '9-1.1.0', '10-1.2.0');
  mkdirSync(join(folder, 'shared'));
  mkdirSync(join(folder, '.logs'));
  for (const name of ['3-1.0.1.install.log', '9-1.1.0.install.log'])
    writeFileSync(join(folder, '.logs', name), '');
  await makeCurrent(folder, join(folder, '4'));

  const { removed, notes } = await pruneReleases(folder, {
    keep: 2,
    running: [],
    good: join(folder, '2-1.0.0'),
  });

  assert.deepEqual([removed, notes], [['3-1.0.1'], []]);
  assert.deepEqual(releasesIn(folder), ['10-1.2.0', '2-1.0.0', '4', '9-1.1.0']);
  assert.deepEqual(readdirSync(join(folder, '.logs')), ['9-1.1.0.install.log']);
  assert.ok(existsSync(join(folder, 'shared')));
});

test('a release that a living process has open in any way stays, and it is told which', async (context) => {
  const folder = group(context, '1', '2', '3', '4', '5', '6');
  await live(context, [NODE, '-e', PRINT_AND_WAIT], join(folder, '1/lib'));
  await live(
    context,
    [NODE, '-e', `fs.openSync(${JSON.stringify(join(folder, '2/lib/late.js'))}); ${PRINT_AND_WAIT}`],
    '/',
  );
  await live(context, [NODE, '-e', PRINT_AND_WAIT, join(folder, '3/server.js')], '/');
  chmodSync(join(folder, '4/lib'), 0o755);
  copyProgram(NODE, join(folder, '4/lib/node'));
  await live(context, [join(folder, '4/lib/node'), '-e', PRINT_AND_WAIT], '/');
  const ended = await live(context, [NODE, '-e', PRINT_AND_WAIT], join(folder, '5'));
  ended.kill('SIGKILL');
  await once(ended, 'close');

  const { removed, notes } = await pruneReleases(folder, {
    keep: 0,
    running: [join(folder, '6')],
    good: null,
  });

  assert.deepEqual(removed, ['5']);
  assert.deepEqual(releasesIn(folder), ['1', '2', '3', '4', '6']);
  for (const [index, note] of notes.entries())
    assert.match(note, new RegExp(`^Release "${index + 1}" was kept: pid \\d+ \\(.+\\) still uses it$`));
  assert.equal(notes.length, 4);
});

test('a release that a process without a readable folder may use stays', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root can be another user');
  const folder = group(context, '1', '2');
  chmodSync(folder, 0o755);
  // As nobody, this process cannot look at those of root.
  await live(context, [NODE, '-e', PRINT_AND_WAIT, join(folder, '1/server.js')], '/');
  const script = `const { findUsers } = await import(${JSON.stringify(new URL('../../src/release/folder/open-files.ts', import.meta.url).href)});
    const { users, unreadable } = await findUsers([${JSON.stringify(join(folder, '1'))}, ${JSON.stringify(join(folder, '2'))}]);
    console.log(JSON.stringify([[...users.keys()], [...unreadable.keys()]]));`;
  const child = spawn(
    NODE,
    ['--import', 'tsx', '--input-type=module', '-e', `process.setuid(65534); ${script}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TSX_DISABLE_CACHE: '1' },
    },
  );
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.deepEqual(JSON.parse(String(said)), [[], [join(folder, '1')]]);
});

test('a release that has failed is taken away by itself, and what serves is not', async (context) => {
  const folder = group(context, '1', '2');
  await makeCurrent(folder, join(folder, '1'));
  assert.deepEqual((await discardRelease(join(folder, '1'))).removed, []);
  assert.deepEqual((await discardRelease(join(folder, '2'))).removed, ['2']);
  assert.deepEqual((await discardRelease(join(folder, '2'))).removed, []);
  assert.deepEqual(releasesIn(folder), ['1']);
});

test('a file that something outside shares becomes the own one of the release', (context) => {
  const folder = group(context, '1');
  const outside = join(folder, 'store.js');
  writeFileSync(outside, 'before', { mode: 0o644 });
  chmodSync(join(folder, '1/lib'), 0o755);
  linkSync(outside, join(folder, '1/lib/shared.js'));
  symlinkSync('../../store.js', join(folder, '1/lib/link.js'));
  makeReadOnly(join(folder, '1'));
  writeFileSync(outside, 'after');
  assert.equal(readFileSync(join(folder, '1/lib/shared.js'), 'utf8'), 'before');
  assert.equal(statSync(outside).mode & 0o777, 0o644, 'neither a hard link nor a symbolic one was followed');
});

function copyProgram(source: string, target: string): void {
  writeFileSync(target, readFileSync(source), { mode: 0o755 });
}

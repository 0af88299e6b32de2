import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ArchiveEntry } from './entry.js';
import { DEFAULT_LIMITS } from './limits.js';
import { foldedPath, partsOf } from './name.js';
import { ArchiveTree } from './tree.js';

/** Few names, so that they meet. */
const path = fc
  .array(fc.constantFrom('a', 'A', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const target = fc
  .array(fc.constantFrom('..', '.', 'a', 'b', 'c', 'd', ''), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'));
const entry: fc.Arbitrary<ArchiveEntry> = fc.record({
  name: path,
  kind: fc.constantFrom(
    'file',
    'file',
    'folder',
    'symlink',
    'symlink',
    'symlink',
    'hardlink',
    'device',
    'fifo',
    'socket',
  ),
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o2755, 0o1777),
  sizeBytes: fc.constant(0),
  target: fc.oneof(target, path),
  modifiedAt: fc.constant(0),
});
const entries = fc.array(entry, { maxLength: 12 });

function admitted(all: readonly ArchiveEntry[]): { tree: ArchiveTree; taken: ArchiveEntry[] } {
  const tree = new ArchiveTree(DEFAULT_LIMITS);
  return { tree, taken: all.filter((each) => tree.admit(each) === undefined) };
}

test('what is taken has one entry for each path, nothing special, and nothing below a file or a link', () => {
  fc.assert(
    fc.property(entries, (all) => {
      const { taken } = admitted(all);
      const paths = taken.map(({ name }) => foldedPath(partsOf(name)));
      assert.equal(new Set(paths).size, paths.length);
      for (const each of taken) {
        assert.ok(['file', 'folder', 'symlink', 'hardlink'].includes(each.kind));
        assert.equal(each.mode & 0o7000, 0);
        if (each.kind === 'folder') continue;
        const below = `${foldedPath(partsOf(each.name))}/`;
        assert.ok(!paths.some((other) => other.startsWith(below)), below);
      }
    }),
    { numRuns: 2000 },
  );
});

test('on a real disk, no link that is taken leads out of the folder, and none in circles', (context) => {
  const work = mkdtempSync(join(tmpdir(), 'upkeep-links-'));
  context.after(() => rmSync(work, { recursive: true }));
  let made = 0;
  fc.assert(
    fc.property(entries, (all) => {
      const { tree, taken } = admitted(all);
      if (tree.finish()) return;
      // Deep enough for any row of "..": whatever leaves the folder meets something that is there.
      const root = join(work, `${made++}`, 'a', 'b', 'c', 'd', 'root');
      mkdirSync(root, { recursive: true });
      materialise(root, taken);
      for (const { name } of taken.filter(({ kind }) => kind === 'symlink')) {
        const end = realPath(join(root, name));
        assert.ok(end === undefined || end === root || end.startsWith(`${root}/`), `${name} leads to ${end}`);
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(made > 50, `${made} trees were made`);
});

function materialise(root: string, taken: readonly ArchiveEntry[]): void {
  for (const { name, kind, target: to = '' } of taken) {
    const at = join(root, name);
    mkdirSync(dirname(at), { recursive: true });
    if (kind === 'folder') mkdirSync(at, { recursive: true });
    else if (kind === 'file') writeFileSync(at, '', { flag: 'wx' });
    else if (kind === 'hardlink') linkSync(join(root, to), at);
  }
  for (const { name, kind, target: to = '' } of taken)
    if (kind === 'symlink') symlinkSync(to, join(root, name));
}

/** Undefined where it leads to nothing that is there. */
function realPath(link: string): string | undefined {
  try {
    return realpathSync(link);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    assert.ok(code === 'ENOENT' || code === 'ENOTDIR', `${link}: ${code}`);
    return undefined;
  }
}

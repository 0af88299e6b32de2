/** What is read of the real machine that the tests run on. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { processOf } from '../made-up-machine.js';
import { readFileFact, readFilesBelow } from './files.js';
import { lazily } from './lazily.js';
import { nodeDemands, nodeVersions } from './node.js';
import { isDaemon, readProcesses } from './processes.js';
import { Sight } from './sight.js';

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-facts-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a lazy field is read when it is asked for, and once', () => {
  let count = 0;
  const object = lazily<{ readonly a: number; readonly b: string }>({ a: () => ++count, b: () => 'b' });
  assert.equal(count, 0);
  assert.deepEqual([object.a, object.a, count], [1, 1, 1]);
});

test('this very process is seen with its command, its executable and its Node.js', () => {
  const sight = new Sight();
  const own = readProcesses(sight).get(process.pid)!;
  assert.equal(own.argv[0], process.argv0);
  assert.deepEqual(own.executable, { path: realpathSync(process.execPath), now: 'same' });
  assert.equal(own.environment?.['PATH'], process.env['PATH']);
  assert.ok(Math.abs(Date.now() - process.uptime() * 1000 - own.startedAt) < 2500);
  assert.ok(own.descriptors.size > 2 && own.limits.openFiles > 0);
  assert.equal(nodeVersions(sight)(own), process.versions.node);
});

test('a guardian is no daemon, although it names one', () => {
  const argv = ['upkeep-shim', 'guard', '/h/daemon.lock', '--', '/usr/bin/node', '/opt/dist/daemon.js'];
  assert.equal(isDaemon(processOf(5, { name: 'upkeep-shim', argv })), false);
  assert.equal(isDaemon(processOf(5, { name: 'node', argv: argv.slice(4) })), true);
});

test('who may read a file depends on every folder above it, and is looked at anew', () => {
  inFolder((folder) => {
    const sight = new Sight();
    const path = join(folder, 'secret');
    writeFileSync(path, 'x', { mode: 0o644 });
    const audience = () => readFileFact(path, sight)?.readableBy;
    chmodSync(folder, 0o700);
    assert.equal(audience(), 'owner');
    chmodSync(folder, 0o750);
    assert.equal(audience(), 'group');
    chmodSync(folder, 0o755);
    assert.equal(audience(), 'everyone');
    chmodSync(path, 0o600);
    assert.equal(audience(), 'owner');
    assert.deepEqual(
      readFilesBelow(folder, 'it', sight).map(({ path: each, readableBy }) => [each, readableBy]),
      [[path, 'owner']],
    );
  });
});

test('the nearest folder that says something about Node.js is heard, up to the package.json', () => {
  inFolder((folder) => {
    const [app, inner, other] = ['app', 'app/src', 'app/src/other'].map((name) => join(folder, name));
    mkdirSync(other!, { recursive: true });
    writeFileSync(join(folder, '.nvmrc'), '10\n');
    writeFileSync(join(app!, 'package.json'), JSON.stringify({ engines: { node: '>=20' } }));
    writeFileSync(join(other!, 'package.json'), '{}');
    const demandsOf = nodeDemands(new Sight());
    assert.deepEqual(demandsOf(inner!), [{ file: join(app!, 'package.json'), range: '>=20' }]);
    assert.deepEqual(demandsOf(other!), [], 'a package without a wish');
    assert.deepEqual(demandsOf(folder), [{ file: join(folder, '.nvmrc'), range: '10' }]);
  });
});

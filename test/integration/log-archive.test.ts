/** The daemon has files compressed that were moved aside, and the archiver may be killed at any point. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { archiveLogs } from '../../src/logs/archive/archive-log.js';
import { enforceHomeCap, homeCap } from '../../src/logs/archive/home-cap.js';
import { LogFiles, LogSegment, ServiceLog } from '../../src/logs/index.js';
import { assertSucceeded, Rig } from '../rig/index.js';
import { Native, node } from '../rig/native.js';

const LINES = `for (let i = 0; i < 2000; i++) {
  fs.writeSync(1, String(i).padStart(99, '0') + '\\n');
  if (i % 100 === 99) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 8);
}`;
const EXPECTED = Array.from({ length: 2000 }, (_, index) => `${String(index).padStart(99, '0')}\n`).join('');

test('files that were moved aside are compressed by a process of the daemon', async () => {
  await using rig = await Rig.create();
  const script = rig.write(
    'app.js',
    `require('fs').writeSync(1, ('x'.repeat(99) + '\\n').repeat(30_000)); setInterval(() => {}, 1e9);`,
  );
  assertSucceeded(await rig.up({ app: { script, logs: { maxSize: '1MB' } } }));
  const { logs } = await rig.client.call('service', { params: { name: 'app' } });
  await rig.until(
    'it is compressed',
    () => existsSync(`${logs.out}.1.gz`) && !existsSync(`${logs.out}.1`),
    60_000,
  );
  const read = (path: string): string =>
    execFileSync('zcat', ['-f', path], { encoding: 'utf8', maxBuffer: 2 ** 24 });
  const files = new LogFiles(join(logs.out, '..'), 'out');
  const all = files.numbers().map((number) => read(number === 0 ? files.path() : files.archivePath(number)));
  assert.equal(all.reverse().join(''), `${'x'.repeat(99)}\n`.repeat(30_000));
});

test('an archiver that ends at any point loses nothing and leaves nothing', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  native.launchUnseen('app', { argv: node(LINES), options: ['log-max=20000', 'log-keep=100'] });
  await native.seen(/^app exited 0/);
  const files = new LogFiles(folder, 'out');
  const options = { compress: true, maxAgeMs: null };
  const plain = (): number[] =>
    files.numbers().filter((number) => number > 0 && existsSync(files.path(number)));
  const before = plain().length;
  assert.ok(before >= 5);
  writeFileSync(join(folder, 'out.gz.new'), 'what a former one left');
  let calls = 0;
  const interrupted = (): void => {
    if (++calls === 3) throw new Error('killed');
  };
  assert.throws(() => archiveLogs(folder, options, interrupted), /killed/);
  assert.equal(plain().length, before - 2);
  assert.equal(everything(files), EXPECTED);
  archiveLogs(folder, options, () => undefined);
  assert.deepEqual(plain(), []);
  assert.equal(existsSync(join(folder, 'out.gz.new')), false);
  assert.equal(everything(files), EXPECTED);
  assert.equal(
    new ServiceLog(native.path('logs'), 'app').lastWords(await runOf(native)).at(-1),
    `${1999}`.padStart(99, '0'),
  );
});

test('an archive is as old as its file; what is too old is deleted', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  native.launchUnseen('app', { argv: node(LINES), options: ['log-max=50000', 'log-keep=100'] });
  await native.seen(/^app exited 0/);
  const files = new LogFiles(folder, 'out');
  const writtenAt = files.writtenAt(1);
  archiveLogs(folder, { compress: true, maxAgeMs: null }, () => undefined);
  assert.ok(Math.abs(files.writtenAt(1) - writtenAt) < 1);
  archiveLogs(folder, { compress: true, maxAgeMs: 1 }, () => undefined);
  assert.deepEqual(files.numbers(), [0]);
});

test('all logs of a home stay below its cap: the oldest file goes first, the current ones never', async () => {
  await using native = new Native();
  for (const name of ['first', 'second']) {
    native.launchUnseen(name, { argv: node(LINES), options: ['log-max=50000', 'log-keep=100'] });
    await native.seen(new RegExp(`^${name} exited 0`));
  }
  const folders = ['first', 'second'].map((name) => native.path('logs', name));
  const rotated = (): number[] => folders.map((folder) => new LogFiles(folder, 'out').numbers().length - 1);
  const [, all] = rotated();
  enforceHomeCap(folders, 250_000);
  const [older, newer] = rotated();
  assert.ok(older! < newer! && newer === all, `${older} and ${newer} of ${all}`);
  enforceHomeCap(folders, 1);
  assert.deepEqual(rotated(), [0, 0]);
  assert.ok(folders.every((folder) => statSync(join(folder, 'out.log')).size > 0));
});

test('the cap of a home is a tenth of its file system, at most 4 GiB, or what the daemon was told', () => {
  const { folder } = { folder: '/' };
  assert.ok(homeCap(folder, undefined) <= 4 * 1024 ** 3);
  assert.equal(homeCap(folder, '20GB'), 20 * 1024 ** 3);
  assert.equal(homeCap(folder, 'nonsense'), homeCap(folder, undefined));
});

async function runOf(native: Native) {
  const begunAt = Number(await native.seen(/^app shim .* (\d+)$/));
  return { instance: 0, attempt: 1, begunAt };
}

function everything(files: LogFiles): string {
  return files
    .numbers()
    .reverse()
    .map((number) => {
      const segment = LogSegment.open(files, number)!;
      const text = segment.bytes(0, segment.size).toString();
      segment.close();
      return text;
    })
    .join('');
}

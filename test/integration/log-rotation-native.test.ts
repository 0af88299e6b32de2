/** How logs are moved aside, compressed and deleted (native/rotate.c), without a daemon. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LogFiles, LogSegment } from '../../src/logs/index.js';
import { shimPath } from '../../src/system/index.js';
import { until } from '../rig/index.js';
import { Native, node, UNTIL_LOGGED } from '../rig/native.js';

const forever = 'setInterval(() => {}, 1e9);';

test('all logs of a folder stay below their total, and the oldest goes first, whosever it is', async () => {
  await using native = new Native();
  const options = ['log-max=10000', 'log-keep=100', 'log-total=60000'];
  const folder = native.path('logs', 'app');
  await run(native, 'first', hundreds(2, 300), [`log=${folder}`, ...options]);
  assert.ok(rotated(folder, 'err').length >= 2);
  const code = hundreds(1, 2000);
  await run(native, 'second', code, [`log=${folder}`, ...options]);
  assert.deepEqual(rotated(folder, 'err'), [], 'they are older than those of stdout');
  assert.ok(rotated(folder, 'out').length >= 3);
  assert.ok(folderBytes(folder) <= 60_000, `${folderBytes(folder)} bytes`);
});

test('compressed files count with what they take, and files of somebody else do not', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  const options = [`log=${folder}`, 'log-max=10000', 'log-keep=100', 'log-total=45000'];
  await run(native, 'first', 'print("x\\n".repeat(100))', options);
  for (const number of [1, 2, 3]) writeFileSync(join(folder, `out.log.${number}.gz`), Buffer.alloc(10_000));
  for (const [index, number] of [3, 2, 1].entries())
    utimesSync(join(folder, `out.log.${number}.gz`), index + 1, index + 1);
  writeFileSync(join(folder, 'out.tar'), Buffer.alloc(1_000_000));
  const code = hundreds(1, 150);
  await run(native, 'second', code, options);
  assert.deepEqual(rotated(folder, 'out'), ['out.log.1', 'out.log.2.gz', 'out.log.3.gz']);
  assert.ok(existsSync(join(folder, 'out.tar')));
});

test('a file that was begun too long ago is moved aside, one that was written too long ago is deleted', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  const code = 'print("one\\n"); wait(400); print("two\\n"); wait(400); print("three\\n");';
  await run(native, 'app', code, [`log=${folder}`, 'log-every=100']);
  assert.deepEqual(read(folder), ['three\n', 'two\n', 'one\n']);
  utimesSync(join(folder, 'out.log.2'), 1, 1);
  await run(native, 'next', 'wait(400); print("four\\n");', [
    `log=${folder}`,
    'log-every=100',
    'log-age=3600000',
  ]);
  assert.deepEqual(read(folder), ['four\n', 'three\n', 'two\n']);
});

test('instances may have files of their own, which are capped together', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  const options = [`log=${folder}`, 'log-own', 'log-max=10000', 'log-keep=100', 'log-total=80000'];
  const code = hundreds(1, 1500);
  await Promise.all(
    [3, 12].map((instance) => run(native, `app${instance}`, code, [...options, `log-as=${instance}.1`])),
  );
  assert.deepEqual(
    LogFiles.in(folder).map(({ name, instance }) => [name, instance]),
    [
      ['out-3', 3],
      ['out-12', 12],
    ],
  );
  assert.ok(folderBytes(folder) <= 80_000, `${folderBytes(folder)} bytes`);
});

test('a file is replaced by its archive wherever it was moved meanwhile, and not where it was deleted', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  const options = [`log=${folder}`, 'log-every=1'];
  for (const line of ['one', 'two', 'three']) await run(native, line, `print("${line}\\n");`, options);
  const inode = String(statSync(join(folder, 'out.log.2')).ino);
  await run(native, 'four', 'print("four\\n");', options);
  const archive = join(folder, 'out.gz.new');
  writeFileSync(archive, gzipSync('one\n'));
  execFileSync(shimPath(), ['archive', folder, 'out', inode, archive]);
  assert.deepEqual(rotated(folder, 'out'), ['out.log.1', 'out.log.2', 'out.log.3.gz']);
  assert.deepEqual([existsSync(archive), existsSync(join(folder, 'out.idx.3'))], [false, false]);
  const second = String(statSync(join(folder, 'out.log.2')).ino);
  execFileSync(shimPath(), ['archive', folder, 'out', second]);
  assert.deepEqual(rotated(folder, 'out'), ['out.log.1', 'out.log.3.gz']);
  writeFileSync(archive, gzipSync('two\n'));
  execFileSync(shimPath(), ['archive', folder, 'out', second, archive]);
  assert.deepEqual(rotated(folder, 'out'), ['out.log.1', 'out.log.3.gz']);
  await run(native, 'five', 'print("five\\n");', options);
  assert.deepEqual(
    rotated(folder, 'out'),
    ['out.log.1', 'out.log.2', 'out.log.3.gz'],
    'a free number is filled',
  );
});

test('whoever was killed between an archive and the end of its file left no line twice', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  const options = [`log=${folder}`, 'log-every=1'];
  for (const line of ['one', 'two']) await run(native, line, `print("${line}\\n");`, options);
  writeFileSync(join(folder, 'out.log.1.gz'), gzipSync('one\n'));
  await run(native, 'three', 'print("three\\n");', options);
  assert.deepEqual(rotated(folder, 'out'), ['out.log.1', 'out.log.2.gz']);
  assert.deepEqual(
    [existsSync(join(folder, 'out.idx.1')), existsSync(join(folder, 'out.idx.2'))],
    [true, false],
  );
});

test('an index says when its log was begun, and whether its clock was set back', async () => {
  await using native = new Native();
  const folder = native.path('logs', 'app');
  const begun = Date.now();
  await run(native, 'first', 'print("one\\n")', [`log=${folder}`]);
  const index = join(folder, 'out.idx');
  const head = (): bigint[] => [16, 24].map((at) => readFileSync(index).readBigUInt64LE(at));
  const [birth, isDisordered] = head();
  assert.ok(Number(birth! / 1_000_000n) >= begun && Number(birth! / 1_000_000n) <= Date.now());
  assert.equal(isDisordered, 0n);
  // As if it had been written tomorrow.
  const bytes = readFileSync(index);
  bytes.writeBigUInt64LE(BigInt(Date.now() + 86_400_000), 32);
  writeFileSync(index, bytes);
  await run(native, 'second', 'print("two\\n")', [`log=${folder}`]);
  assert.deepEqual(head(), [birth, 1n]);
  const segment = LogSegment.open(new LogFiles(folder, 'out'), 0)!;
  assert.deepEqual([segment.offsetAt(begun), segment.offsetAt(Date.now() + 1_000_000)], [0, 0]);
  segment.close();
});

test('a rotation is told to the daemon, and not kept', async () => {
  await using native = new Native();
  const code = `${helpers(native.path('logs', 'app'))} ${hundreds(1, 300)} ${forever}`;
  await native.launch('app', { argv: node(code), options: ['log-max=10000'] });
  await native.seen(/^app rotated out (\d+)/);
  await until('all is written', () => native.logged('app').length > 0);
  assert.ok(!native.journal('app').some((line) => line.startsWith('rotated')));
});

/** So many lines of a hundred bytes, twenty at a time: what a shim reads at a time is written at a time. */
function hundreds(fd: 1 | 2, count: number): string {
  return `for (let i = 0; i < ${count}; i += 20) {
    const lines = Array.from({ length: Math.min(20, ${count} - i) }, (_, k) => process.pid + ' ' + (i + k));
    print(lines.map((line) => line.padEnd(99, 'x') + '\\n').join(''), ${fd});
  }`;
}

function helpers(folder: string): string {
  return `${UNTIL_LOGGED}
    const print = (text, fd = 1) => {
      fs.writeSync(fd, text);
      untilLogged(${JSON.stringify(folder)}, text);
    };
    const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);`;
}

async function run(native: Native, name: string, code: string, options: readonly string[]): Promise<void> {
  const folder = options.find((option) => option.startsWith('log='))!.slice('log='.length);
  native.launchUnseen(name, { argv: node(helpers(folder) + code), options });
  await native.seen(new RegExp(`^${name} exited 0`));
}

function rotated(folder: string, stream: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(`${stream}.log.`))
    .toSorted();
}

function read(folder: string): string[] {
  const files = new LogFiles(folder, 'out');
  return files.numbers().map((number) => readFileSync(files.path(number), 'utf8'));
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** daemon.log is bounded, whoever else appends to it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { Rig } from '../rig/index.js';

const MAX_BYTES = 4 * 1024 * 1024;
const LOG_FILE = pathToFileURL(join(import.meta.dirname, '../../src/daemon/log-file.ts')).href;

test('a daemon that finds a large log keeps the end of it, in whole lines, and begins anew', async () => {
  await using rig = await Rig.create();
  await rig.killDaemon();
  const line = `${'x'.repeat(99)}\n`;
  appendFileSync(rig.home.log, line.repeat(100_000) + 'the last one\n');
  await rig.startDaemon();
  const { pid } = await rig.client.call('daemon');
  const former = readFileSync(`${rig.home.log}.1`, 'utf8');
  assert.ok(former.length <= MAX_BYTES);
  const [first, ...rest] = former.trimEnd().split('\n');
  assert.equal(`${first}\n`, line);
  assert.ok(rest.some((each) => each === 'the last one'));
  const current = readFileSync(rig.home.log, 'utf8');
  assert.ok(current.length < 10_000);
  assert.match(former + current, new RegExp(`daemon \\S+ started, pid ${pid}\n`));
});

test('the log of a daemon that says a lot stays within its bound; no line, of whomever, is lost or torn', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const [log, max, count] = [rig.write('daemon.log', ''), 20_000, 1000];
  const others = openSync(log, 'a');
  const code = `import { LogFile } from '${LOG_FILE}';
    const file = new LogFile(process.argv[1], ${max});
    let count = 0;
    process.stdin.on('data', (chunk) => {
      for (const _ of chunk.toString()) file.write('own ' + ++count + '\\n');
      process.send(count);
    });
    process.on('disconnect', () => process.exit());
    process.stdin.on('end', () => process.exit());`;
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code, log];
  const program = spawn(process.execPath, argv, {
    stdio: ['pipe', openSync(log, 'a'), 'inherit', 'ipc'],
    env: rig.env, // the rig ends it, whatever happens
  });
  const lines: string[] = [];
  let copied: string | undefined;
  const collect = (): void => {
    const stats = statSync(`${log}.1`, { throwIfNoEntry: false });
    const copy = stats && `${stats.ino} ${stats.mtimeMs}`;
    if (copy !== undefined && copy !== copied) lines.push(...linesOf(`${log}.1`));
    copied = copy;
    assert.ok(statSync(log).size <= 1.5 * max);
  };
  for (let round = 1; round <= count; round++) {
    appendFileSync(others, `other ${round}\n`);
    program.stdin!.write('.'.repeat(10));
    for (let written = 0; written < 10 * round;) [written] = (await once(program, 'message')) as [number];
    collect();
  }
  lines.push(...linesOf(log));
  program.disconnect();
  await once(program, 'exit');
  closeSync(others);
  const numbers = (who: string): number[] =>
    lines.filter((line) => line.startsWith(`${who} `)).map((line) => Number(line.slice(who.length)));
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
  assert.deepEqual(numbers('own'), upTo(10 * count));
  assert.deepEqual(numbers('other'), upTo(count));
  assert.equal(lines.length, 11 * count);
});

test('a log that cannot be written, as where the disk is full, throws nothing that would have to be logged', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const code = `import { LogFile } from '${LOG_FILE}';
    const file = new LogFile(process.argv[1]);
    process.on('uncaughtException', () => process.exit(1));
    file.write('a line\\n');
    setImmediate(() => file.write('another one\\n'));`;
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code, rig.home.log];
  const full = openSync('/dev/full', 'a');
  const program = spawn(process.execPath, argv, { stdio: ['ignore', full, 'inherit'], env: rig.env });
  closeSync(full);
  assert.deepEqual(await once(program, 'exit'), [0, null]);
});

test('a log that is somewhere else is left alone', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const [log, elsewhere] = [rig.write('daemon.log', 'not of this process\n'), rig.write('elsewhere', '')];
  writeFileSync(elsewhere, '');
  const code = `import { LogFile } from '${LOG_FILE}';
    const file = new LogFile(process.argv[1], 100);
    for (let count = 0; count < 100; count++) file.write('a line\\n');`;
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code, log];
  const program = spawn(process.execPath, argv, {
    stdio: ['ignore', openSync(elsewhere, 'a'), 'inherit'],
    env: rig.env,
  });
  assert.deepEqual(await once(program, 'exit'), [0, null]);
  assert.equal(linesOf(elsewhere).length, 100);
  assert.equal(readFileSync(log, 'utf8'), 'not of this process\n');
  assert.ok(!existsSync(`${log}.1`));
});

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

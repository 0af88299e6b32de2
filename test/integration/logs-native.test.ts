/** What applications write, from their pipes into the files of the log (native/output.c, native/log.c), without a daemon. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogFiles, LogSegment } from '../../src/logs/index.js';
import { readProcess } from '../../src/system/index.js';
import { until } from '../rig/index.js';
import { childrenOf, isAlive, Native, UNTIL_LOGGED } from '../rig/native.js';

const MAX_LINE_BYTES = 256 * 1024;
const forever = 'setInterval(() => {}, 1e9);';

/** Any bytes, many of them line ends. */
const chunk = fc
  .array(fc.oneof(fc.constant(0x0a), fc.integer({ min: 0, max: 255 })), { maxLength: 200 })
  .map((all) => Buffer.from(all));
const repeated = fc.tuple(chunk, fc.integer({ min: 1, max: 2000 })).map(([bytes, times]) => {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
});

test('however a stream is cut into chunks, the same lines come out', async () => {
  await using native = new Native();
  let count = 0;
  const streams = fc.array(fc.oneof(chunk, chunk, repeated), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(streams, async (chunks) => {
      const name = `app${++count}`;
      await write(native, name, chunks);
      const stream = Buffer.concat(chunks);
      const isFinished = stream.length === 0 || stream.at(-1) === 0x0a;
      const expected = isFinished ? stream : Buffer.concat([stream, Buffer.from('\n')]);
      assert.ok(bytesLogged(native, name).equals(expected));
    }),
    { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 400) },
  );
});

test('a line without an end is passed on in pieces of 256 KiB', async () => {
  await using native = new Native();
  await write(native, 'app', [Buffer.from(`short\n${'x'.repeat(2.5 * MAX_LINE_BYTES)}\nlast`)]);
  const lengths = native
    .logged('app')
    .split('\n')
    .map((line) => line.length);
  assert.deepEqual(lengths, [5, MAX_LINE_BYTES, MAX_LINE_BYTES, MAX_LINE_BYTES / 2, 4, 0]);
});

test('folder and files come with the first line, for nobody else to read', async () => {
  await using native = new Native();
  await native.launch('silent', { argv: node(forever) });
  assert.equal(existsSync(native.path('logs')), false);
  await native.launch('app', { argv: node(`print('hello\\n'); ${forever}`) });
  await until('it is there', () => native.logged('app') === 'hello\n');
  for (const folder of ['logs', 'logs/app']) assert.equal(statSync(native.path(folder)).mode & 0o777, 0o700);
  for (const file of pair('')) assert.equal(statSync(native.path('logs', 'app', file)).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(native.path('logs')), ['app']);
});

test('what was written before a SIGKILL is in the file when the exit is told', async () => {
  await using native = new Native();
  const argv = node(`process.kill(process.ppid, 'SIGSTOP'); // the shim sees nothing until all is over
    print(lines(0, 500)); fs.writeSync(2, 'no end of line');
    process.kill(process.pid, 'SIGKILL');`);
  native.launchUnseen('app', { argv });
  const shim = await native.shimOf('app');
  await until('the application is dead', () => childrenOf(shim)[0]?.state === 'Z');
  process.kill(shim, 'SIGCONT');
  await native.seen(/^app exited - 9/);
  assert.equal(native.logged('app'), lines(0, 500));
  assert.equal(native.logged('app', 'err.log'), 'no end of line\n');
});

test('an orphan that writes without an end holds back neither the exit nor the shim', async () => {
  await using native = new Native();
  const { pid } = await native.launch('app', { argv: ['sh', '-c', 'yes & exec sleep 1000000'] });
  await until('it writes', () => native.logged('app').length > 0);
  process.kill(pid, 'SIGKILL');
  await native.seen(/^app exited - 9/);
  const shim = await native.shimOf('app');
  process.kill(shim, 'SIGTERM');
  await until('its folder is gone', () => !existsSync(native.path('app')));
  for (const orphan of childrenOf(shim)) process.kill(orphan.pid, 'SIGKILL');
  await until('the shim is gone', () => !isAlive(shim));
});

test('survivors are read until the last one closes the pipe, and meet no SIGPIPE', async () => {
  await using native = new Native();
  const survivor = `while ! test -e ${native.path('go')}; do sleep 0.02; done; echo still here; echo and gone`;
  await native.launch('app', { argv: ['sh', '-c', `echo first; (${survivor}) &`] });
  await native.seen(/^app exited 0/);
  const shim = await native.shimOf('app');
  process.kill(shim, 'SIGTERM');
  await until('its folder is gone', () => !existsSync(native.path('app')));
  assert.ok(isAlive(shim));
  writeFileSync(native.path('go'), '');
  await until('the shim is gone', () => !isAlive(shim));
  assert.equal(native.logged('app'), 'first\nstill here\nand gone\n');
});

test('a shim whose application has closed its output reads no longer, and ends its last line', async () => {
  await using native = new Native();
  const argv = ['sh', '-c', 'printf "last words"; exec >&- 2>&-; exec sleep 1000000'];
  await native.launch('app', { argv });
  await until('the line is there', () => native.logged('app') === 'last words\n');
});

test('/dev/stdout can be opened again, also by another user', { skip: unlessRoot() }, async () => {
  await using native = new Native();
  const argv = ['sh', '-c', 'echo one; echo two >/dev/stdout; echo three >>/proc/self/fd/1'];
  await native.launch('app', { argv, options: ['user=65534:65534:65534'] });
  assert.equal(await native.out('app'), 'one\ntwo\nthree\n');
});

test('rotated files, joined from the oldest, are byte for byte what was written', async () => {
  await using native = new Native();
  const chunks = Array.from({ length: 200 }, (_, index) => Buffer.from(lines(index * 50, index * 50 + 50)));
  await write(native, 'app', chunks, ['log-max=10000', 'log-keep=100'], 'one by one');
  assert.ok(files(native, 'app').length > 10);
  assert.equal(bytesLogged(native, 'app').toString(), lines(0, 10_000));
});

test('no file is larger than its limit, its index included, and the oldest is deleted', async () => {
  await using native = new Native();
  const chunks = Array.from({ length: 300 }, (_, index) => Buffer.from(`line ${index}\n`));
  await write(native, 'app', chunks, ['log-max=300', 'log-keep=3'], 'one by one');
  const names = readdirSync(native.path('logs', 'app'));
  assert.deepEqual(names.toSorted(), [...pair(''), ...pair('.1'), ...pair('.2'), ...pair('.3')].toSorted());
  for (const end of ['', '.1', '.2', '.3']) {
    const size = pair(end).reduce((sum, name) => sum + statSync(native.path('logs', 'app', name)).size, 0);
    assert.ok(size <= 300, `${size} bytes`);
  }
  assert.ok(bytesLogged(native, 'app').toString().endsWith('line 298\nline 299\n'));
});

test('a line that is larger than a file is kept whole', async () => {
  await using native = new Native();
  const long = `${'x'.repeat(5000)}\n`;
  await write(native, 'app', [Buffer.from(long + long)], ['log-max=100', 'log-keep=4']);
  assert.equal(bytesLogged(native, 'app').toString(), long + long);
});

test('several shims share and rotate a file: nothing is lost, doubled, torn or out of order', async () => {
  await using native = new Native();
  const writers = 6;
  const each = 3000;
  const options = [`log=${native.path('logs', 'shared')}`, 'log-max=30000', 'log-keep=500'];
  for (let writer = 0; writer < writers; writer++) {
    const code = `for (let i = 0; i < ${each}; i += 3) print([0, 1, 2].map((k) => '${writer} ' + (i + k) + '\\n').join(''));`;
    native.launchUnseen(`app${writer}`, {
      argv: node(code),
      options: [...options, `log-as=${writer}.1`],
    });
  }
  for (let writer = 0; writer < writers; writer++) await native.seen(new RegExp(`^app${writer} exited 0`));
  const next = Array<number>(writers).fill(0);
  for (const line of bytesLogged(native, 'shared').toString().trimEnd().split('\n')) {
    const [writer = -1, number] = line.split(' ').map(Number);
    assert.equal(number, next[writer], line);
    next[writer]!++;
  }
  assert.deepEqual(next, Array<number>(writers).fill(each));
});

test('shims that are killed while they write leave the others whole lines', async () => {
  await using native = new Native();
  const options = [`log=${native.path('logs', 'shared')}`, 'log-max=2000000', 'log-keep=500'];
  const victim = node(`for (;;) print(('victim ' + 'x'.repeat(500) + '\\n').repeat(100));`);
  const argv = node(`for (let i = 0; i < 20000; i++) print('whole ' + i + '\\n'); ${forever}`);
  native.launchUnseen('app', { argv, options });
  for (let count = 0; count < 10; count++) {
    const name = `victim${count}`;
    await native.launch(name, { argv: victim, options });
    const shim = await native.shimOf(name);
    const [child] = childrenOf(shim);
    process.kill(shim, 'SIGKILL');
    process.kill(child!.pid, 'SIGKILL');
    rmSync(native.path(name), { recursive: true });
  }
  const whole = await until('all was written', () => {
    const lines = bytesLogged(native, 'shared').toString().split('\n');
    const found = lines.filter((line) => line.startsWith('whole'));
    return found.length === 20_000 && found;
  });
  assert.deepEqual(
    whole,
    Array.from({ length: 20_000 }, (_, index) => `whole ${index}`),
  );
});

test('a half line of somebody else is ended', async () => {
  await using native = new Native();
  const say = await speaker(native, 'app');
  await say('one');
  writeFileSync(native.path('logs', 'app', 'out.log'), 'a stranger', { flag: 'a' });
  await say('two');
  assert.equal(native.logged('app'), 'one\na stranger\ntwo\n');
});

test('a log that is deleted, moved away or truncated goes on', async () => {
  await using native = new Native();
  const say = await speaker(native, 'app');
  const folder = native.path('logs', 'app');
  const log = join(folder, 'out.log');
  await say('one');
  rmSync(log);
  await say('two');
  assert.equal(native.logged('app'), 'two\n');
  rmSync(native.path('logs'), { recursive: true });
  await say('three');
  assert.equal(native.logged('app'), 'three\n');
  renameSync(folder, `${folder}.aside`);
  await say('four');
  assert.equal(native.logged('app'), 'four\n');
  truncateSync(log);
  await say('five');
  assert.equal(native.logged('app'), 'five\n');
});

test('what cannot be written is dropped and counted exactly, in whole lines, and told when writing works again', async () => {
  await using native = new Native();
  const say = await speaker(native, 'app');
  await say(lines(0, 1000));
  const before = statSync(native.path('logs', 'app', 'out.log')).size;
  const shim = await native.shimOf('app');
  limitFiles(shim, before + 105); // not at the end of a line
  await say(lines(1000, 5000));
  await say(lines(5000, 9000));
  limitFiles(shim, 'unlimited');
  await say('it works again');
  const [bytes, count, errno] = (await native.seen(/^app lost out (.*)/)).split(' ').map(Number);
  const kept = native.logged('app');
  const whole = Math.floor(105 / lines(1000, 1001).length);
  const missing = [lines(1000 + whole, 9000).length, 8000 - whole] as const;
  const notice = `upkeep: ${missing[1]} lines (${missing[0]} bytes) are missing here: File too large\n`;
  assert.equal(kept, `${lines(0, 1000 + whole)}${notice}it works again\n`);
  assert.deepEqual([bytes, count], missing);
  const segment = LogSegment.open(new LogFiles(native.path('logs', 'app'), 'out'), 0)!;
  const attempts = segment.read().map(({ run, lines: own }) => [run?.attempt, own.toString()]);
  segment.close();
  assert.deepEqual(
    attempts.slice(-2),
    [
      [0, notice],
      [1, 'it works again\n'],
    ],
    'upkeep’s words are not the attempt’s',
  );
  assert.equal(errno, 27); // EFBIG
});

test('an application whose log cannot be written at all goes on, and the loss is told before its end', async () => {
  await using native = new Native();
  mkdirSync(native.path('logs', 'app', 'out.log'), { recursive: true });
  await write(native, 'app', [Buffer.from(lines(0, 30_000))]);
  const journal = native.journal('app');
  assert.match(journal.at(-1)!, /^exited 0/);
  assert.match(journal.at(-2)!, new RegExp(`^lost out ${lines(0, 30_000).length} 30000 21 `)); // EISDIR
});

test('who keeps the lock of a log holds nobody up for long', async () => {
  await using native = new Native();
  const say = await speaker(native, 'app');
  await say('one');
  const holder = spawn('flock', [native.path('logs', 'app', 'out.log'), 'sleep', '1000000'], {
    detached: true,
  });
  const shim = await native.shimOf('app');
  await until('it has the lock', () => childrenOf(holder.pid!).length > 0);
  await say('in vain');
  await say(lines(0, 30_000));
  const heirs = childrenOf(holder.pid!);
  process.kill(-holder.pid!, 'SIGKILL');
  await once(holder, 'exit');
  await until('nobody has the lock', () => !heirs.some(({ pid }) => isAlive(pid)));
  await say('two');
  assert.match(
    native.logged('app'),
    /^one\nupkeep: 30001 lines \(360008 bytes\) are missing here: .*\ntwo\n$/,
  );
  assert.match(await native.seen(/^app lost out \d+ (.*) \d+$/), /^30001 11$/); // EAGAIN
  assert.ok(isAlive(shim));
});

test('a log that is a FIFO without a reader does not block anybody', async () => {
  await using native = new Native();
  mkdirSync(native.path('logs', 'app'), { recursive: true });
  execFileSync('mkfifo', [native.path('logs', 'app', 'out.log')]);
  await write(native, 'app', [Buffer.from(lines(0, 30_000))]);
});

test('a loss is told in the log also where nothing is written afterwards', async () => {
  await using native = new Native();
  const say = await speaker(native, 'app');
  await say('one');
  const shim = await native.shimOf('app');
  limitFiles(shim, 1);
  await say('two');
  limitFiles(shim, 'unlimited');
  await until('it is told', () =>
    native.logged('app').startsWith('one\nupkeep: 1 line (4 bytes) is missing here: '),
  );
});

/** Writes the chunks to stdout, and waits for the end. */
async function write(
  native: Native,
  name: string,
  chunks: readonly Buffer[],
  options: readonly string[] = [],
  pace: 'one by one' | 'at once' = 'at once',
): Promise<void> {
  const path = native.path(`${name}.chunks`);
  writeFileSync(path, JSON.stringify(chunks.map((bytes) => bytes.toString('base64'))));
  const pause =
    pace === 'one by one' ? `untilLogged(${JSON.stringify(native.path('logs', name))}, bytes);` : '';
  const code = `for (const text of JSON.parse(fs.readFileSync(${JSON.stringify(path)}))) {
    const bytes = Buffer.from(text, 'base64'); print(bytes); ${pause} }`;
  native.launchUnseen(name, { argv: node(code), options });
  await native.seen(new RegExp(`^${name} exited 0`));
}

/** An application that writes what it is told; answers when the shim has taken it. */
async function speaker(native: Native, name: string): Promise<(text: string) => Promise<void>> {
  const path = native.path(`${name}.told`);
  execFileSync('mkfifo', [path]);
  const argv = ['sh', '-c', `exec 3<>${path}; exec cat <&3`];
  const { pid } = await native.launch(name, { argv });
  return async (text) => {
    const line = text.endsWith('\n') ? text : `${text}\n`;
    const before = bytesRead(await native.shimOf(name));
    writeFileSync(path, line);
    const shim = await native.shimOf(name);
    await until('it was taken', () => bytesRead(shim) >= before + line.length && isAsleep(shim));
    assert.ok(isAlive(pid));
  };
}

function bytesRead(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
}

function isAsleep(pid: number): boolean {
  return readProcess(pid)?.state === 'S';
}

function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

function pair(end: string): string[] {
  return [`out.log${end}`, `out.idx${end}`];
}

/** Of stdout, oldest first. */
function files(native: Native, name: string): string[] {
  const number = (file: string): number => Number(/\d+$/.exec(file)?.[0] ?? 0);
  const folder = native.path('logs', name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.startsWith('out.log'))
    .sort((a, b) => number(b) - number(a))
    .map((file) => join(folder, file));
}

function bytesLogged(native: Native, name: string): Buffer {
  return Buffer.concat(files(native, name).map((file) => readFileSync(file)));
}

function lines(from: number, to: number): string {
  let text = '';
  for (let number = from; number < to; number++) text += `line ${String(number).padStart(6, '0')}\n`;
  return text;
}

function node(code: string): string[] {
  const helpers = `const fs = require('fs'); ${lines.toString()} ${UNTIL_LOGGED}
    function print(text) {
      for (let bytes = Buffer.from(text); bytes.length > 0; ) bytes = bytes.subarray(fs.writeSync(1, bytes));
    }`;
  return [process.execPath, '-e', helpers + code];
}

function unlessRoot(): string | false {
  return process.getuid!() === 0 ? false : 'only root starts for another user';
}

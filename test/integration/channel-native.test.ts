/** What applications say of themselves, over the pipe of their shim or as sd_notify (native/channel.c). */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../rig/index.js';
import { childrenOf, isAlive, Native, node } from '../rig/native.js';

const PYTHON = '/usr/bin/python3';
const MAX_KEPT = 10_000;
/** Of stdout and stderr. */
const OUTPUT_PIPES = 2;
const channel = { options: ['channel'] };

test('what is said comes out as lines that cannot break the journal, in order, before the exit', async () => {
  await using native = new Native();
  const argv = node(`
    fs.writeSync(U, 'hel');
    fs.writeSync(U, 'lo\\n\\n\\none | two\\ttabs \\x00\\x1b[1m\\x7f\\r\\n');
    say('ümlaut'); say('x'.repeat(400)); say('y'.repeat(9000)); say('last');
    fs.writeSync(U, 'no end of line');`);
  await native.launch('app', { argv, ...channel });
  await native.seen(/^app exited 0/);
  const expected = ['hello', 'one ? two?tabs ??[1m??', 'ümlaut', 'x'.repeat(400), 'y'.repeat(400), 'last'];
  assert.deepEqual(said(native.journal('app')), expected);
  assert.deepEqual(
    native.events
      .filter((line) => line.startsWith('app '))
      .map((line) => Buffer.from(line, 'latin1').toString()),
    native.journal('app').map((line) => `app ${line}`),
  );
  assert.match(native.journal('app').at(-1)!, /^exited 0 .*\|empty/);
});

test('a thousand lines right before its SIGKILL arrive before the exit', async () => {
  await using native = new Native();
  const argv = node(`process.kill(process.ppid, 'SIGSTOP'); // the shim sees nothing until all is over
    for (let i = 0; i < 1000; i++) say('line ' + i);
    process.kill(process.pid, 'SIGKILL');`);
  native.launchUnseen('app', { argv, ...channel });
  await wakeWhenItsChildIsDead(await native.shimOf('app'));
  await native.seen(/^app exited - 9/);
  const expected = Array.from({ length: 1000 }, (_, index) => `line ${index}`);
  assert.deepEqual(said(native.journal('app')), expected);
  assert.match(native.journal('app').at(-1)!, /^exited - 9/);
});

test('a suspended daemon holds nobody up, and is told what it has missed', async () => {
  await using native = new Native();
  const argv = node(`for (let i = 0; i < 500; i++) say('line ' + i + ' ' + 'x'.repeat(300));
    console.log('not held up');
    setInterval(() => fs.existsSync('go') && process.exit(3), 20);`);
  const wakeUp = native.suspendReader();
  native.launchUnseen('app', { argv, options: ['channel', `cwd=${native.folder}`] });
  await until('the application goes on', () => native.logged('app').includes('not held up'));
  writeFileSync(native.path('go'), '');
  await until('its end is in the journal', () => native.journal('app').at(-1)!.startsWith('exited 3'));
  assert.equal(native.find(/^app/), undefined);

  wakeUp();
  await native.seen(/^app exited 3/);
  const told = native.events
    .filter((line) => line.startsWith('app '))
    .map((line) => line.slice('app '.length));
  assert.deepEqual(told, native.journal('app'));
});

test('a flood goes to the daemon, and stops growing the journal', async () => {
  await using native = new Native();
  const argv = node(`for (let i = 0; i < 20000; i += 100) {
    say(Array.from({ length: 100 }, (_, k) => 'line ' + (i + k)).join('\\n'));
  }
  say('listening 7 3 127.0.0.1 80 held'); // as of a worker that comes late`);
  await native.launch('app', { argv, ...channel });
  await native.seen(/^app exited 0/);
  assert.equal(said(native.journal('app')).length, MAX_KEPT + 1);
  assert.equal(said(native.journal('app')).at(-1), 'listening 7 3 127.0.0.1 80 held');
  assert.match(native.journal('app').at(-1)!, /^exited 0/);
  const told = native.events.filter((line) => line.startsWith('app said'));
  assert.equal(told.length, 20_001);
  assert.match(told.at(-2)!, / line 19999$/);
});

test('an orphan that talks without an end holds back neither the exit nor the end of the shim', async () => {
  await using native = new Native();
  const script = 'u=${UPKEEP_CHANNEL%:*}; eval "yes blah >&$u &"; exec sleep 1000000';
  const { pid } = await native.launch('app', { argv: ['sh', '-c', script], ...channel });
  await native.seen(/^app said/);
  process.kill(pid, 'SIGKILL');
  await native.seen(/^app exited - 9/);
  assert.equal(await native.end('app'), undefined);
});

test('a shim whose application has closed the pipe does not listen any longer', async () => {
  await using native = new Native();
  await native.launch('app', {
    argv: node(`say('bye'); fs.closeSync(U); setInterval(() => {}, 1e9);`),
    ...channel,
  });
  await native.seen(/^app said \d+ bye/);
  const shim = await native.shimOf('app');
  await until('the shim has closed its end', () => pipes(shim).length === OUTPUT_PIPES);
});

test(
  'the folder of the channel takes sockets of another user, and goes with the shim',
  { skip: unlessRoot() },
  async () => {
    await using native = new Native();
    const argv = node(`require('net').createServer((c) => c.end('it is me'))
    .listen('/proc/self/fd/' + D + '/x', () => { fs.writeFileSync('/proc/self/fd/' + D + '/file', ''); say('up'); })
    .on('error', (error) => say(error.message));`);
    await native.launch('app', { argv, options: ['channel', 'user=65534:65534'] });
    assert.equal(await native.seen(/^app said \d+ (.*)/), 'up');
    const folder = statSync(native.path('app', 'app'));
    assert.deepEqual([folder.mode & 0o777, folder.uid, folder.gid], [0o700, 65_534, 65_534]);
    const socket = connect(native.path('app', 'app', 'x'));
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    assert.equal(String(chunk), 'it is me');
    socket.destroy();

    assert.deepEqual(readdirSync(native.path('app', 'app')).sort(), ['file', 'x']);
    assert.equal(await native.end('app'), undefined);
    assert.ok(!existsSync(native.path('app')));
  },
);

test('sd_notify of another language is relayed before the exit', { skip: unlessPython() }, async () => {
  await using native = new Native();
  const program = `
import os, signal, socket
os.kill(os.getppid(), signal.SIGSTOP)
address = os.environ['NOTIFY_SOCKET']
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect('\\0' + address[1:])
for text in ['READY=1\\nSTATUS=all | well\\nWATCHDOG=1\\nMAINPID=%d' % os.getpid(), '', 'READY', 'FDSTORE=1',
             'X_READY=1', 'ERRNO=2\\n', 'STATUS=' + 'x' * 4000, 'STOPPING=1']:
    notify.send(text.encode())
os.kill(os.getpid(), 9)`;
  native.launchUnseen('app', { argv: [PYTHON, '-c', program], options: ['notify'] });
  await wakeWhenItsChildIsDead(await native.shimOf('app'));
  await native.seen(/^app exited - 9/);
  const pid = await native.seen(/^app running (\d+)/);
  const lines = native.journal('app');
  const { startTicks } = /^shim (?<pid>\d+) (?<startTicks>\d+)/.exec(lines[0]!)!.groups!;
  assert.ok(Number(startTicks) > 0);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('notify ')).map((line) => line.replace(/^notify \d+ /, '')),
    ['READY=1', 'STATUS=all ? well', `MAINPID=${pid}`, 'ERRNO=2', `STATUS=${'x'.repeat(393)}`, 'STOPPING=1'],
  );
  assert.match(lines.at(-1)!, /^exited - 9/);
});

test('NOTIFY_SOCKET and UPKEEP_CHANNEL are there where they were asked for, and only there', async () => {
  await using native = new Native();
  const argv = ['sh', '-c', 'echo "$NOTIFY_SOCKET/$UPKEEP_CHANNEL"'];
  for (const options of [[], ['channel'], ['notify'], ['channel', 'notify']]) {
    const name = `app-${options.join('-')}`;
    native.launchUnseen(name, { argv, options });
    const [notify, pipe] = (await native.out(name)).trim().split('/');
    assert.match(notify!, options.includes('notify') ? /^@upkeep-\d+-\d+$/ : /^$/);
    assert.match(pipe!, options.includes('channel') ? /^3:4$/ : /^$/);
    assert.equal(await native.end(name), undefined);
  }
});

test('a program that cannot be executed is reported with a channel as without', async () => {
  await using native = new Native();
  native.launchUnseen('app', { argv: ['/nowhere'], options: ['channel', 'notify'] });
  assert.match(await native.seen(/^app failed (.*)/), /^exec 2 /);
  const shim = await native.shimOf('app');
  await until('the shim is gone', () => !isAlive(shim));
});

async function wakeWhenItsChildIsDead(shim: number): Promise<void> {
  await until('the application is a zombie', () => childrenOf(shim).some(({ state }) => state === 'Z'));
  process.kill(shim, 'SIGCONT');
}

function said(journal: readonly string[]): string[] {
  return journal.filter((line) => line.startsWith('said ')).map((line) => line.replace(/^said \d+ /, ''));
}

function pipes(pid: number): string[] {
  return files(pid).filter((file) => file.startsWith('pipe:'));
}

function files(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}

function unlessRoot(): string | false {
  return process.getuid!() === 0 ? false : 'only root starts for another user';
}

function unlessPython(): string | false {
  return existsSync(PYTHON) ? false : `${PYTHON} is not installed`;
}

/** The launcher holds sockets for services (native/sockets.c), and shims keep them when it has gone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { readProcess, shimPath } from '../../src/system/index.js';
import { freePort, until } from '../rig/index.js';
import { Native, node } from '../rig/native.js';

const ERRNO = constants.errno;
const SLEEP = ['sleep', '1000000'];
/** Says hello to whoever connects to descriptor 3. */
const SERVE = node(`require('net').createServer((c) => c.end('hello')).listen({ fd: 3 })`);

test('any, IPv4, IPv6 and unix addresses are opened, and answered as bound', async () => {
  await using native = new Native();
  const port = await freePort();
  assert.equal(await native.request('open', 'any', '', port, 5), `ok :: ${port}`);
  for (const host of ['127.0.0.1', '::1']) assert.equal(await reach(host, port), 'connected');
  assert.equal(await native.request('close', 'any'), `ok :: ${port}`);
  for (const host of ['127.0.0.1', '::1']) assert.equal(await reach(host, port), 'ECONNREFUSED');

  assert.equal(await native.request('open', 'v4', '0.0.0.0', port, 5), `ok 0.0.0.0 ${port}`);
  assert.equal(await native.request('close', 'v4'), `ok 0.0.0.0 ${port}`);
  assert.equal(await native.request('open', 'both', '::', port, 5), `ok :: ${port}`);
  assert.equal(await reach('127.0.0.1', port), 'connected');
  await native.request('close', 'both');

  assert.equal(await native.request('open', 'v6', '::1', port, 5), `ok ::1 ${port}`);
  assert.equal(await reach('::1', port), 'connected');
  assert.equal(await reach('127.0.0.1', port), 'ECONNREFUSED');
  assert.equal(await native.request('open', 'beside', '127.0.0.1', port, 5), `ok 127.0.0.1 ${port}`);

  const path = native.path('app.sock');
  assert.equal(await native.request('open', 'unix', `unix:${path}`, 0, 5), `ok unix:${path} 0`);
  assert.equal(await reach(path), 'connected');
  await native.request('close', 'unix');
  assert.ok(!existsSync(path));
});

test('what cannot be opened is answered with its reason and stage', async () => {
  await using native = new Native();
  const { EADDRINUSE, EADDRNOTAVAIL, EEXIST, EINVAL, ENOENT, ENAMETOOLONG } = ERRNO;
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  try {
    assert.equal(await native.request('open', 'a', '', port, 5), `failed ${EADDRINUSE} bind`);
    assert.equal(await native.request('open', 'a', '127.0.0.1', port, 0), `failed ${EADDRINUSE} bind`);
  } finally {
    other.close();
  }
  assert.equal(await native.request('open', 'a', '192.0.2.1', 80, 5), `failed ${EADDRNOTAVAIL} bind`);
  assert.equal(await native.request('open', 'a', 'localhost', 80, 5), `failed ${EINVAL} bind`);
  assert.equal(await native.request('open', 'a', '127.0.0.1', 65_536, 5), `failed ${EINVAL} bind`);
  assert.equal(await native.request('open', 'a', 'unix:relative', 0, 5), `failed ${EINVAL} bind`);
  const long = `unix:/${'x'.repeat(200)}`;
  assert.equal(await native.request('open', 'a', long, 0, 5), `failed ${ENAMETOOLONG} bind`);
  writeFileSync(native.path('file'), '');
  assert.equal(
    await native.request('open', 'a', `unix:${native.path('file')}`, 0, 5),
    `failed ${EADDRINUSE} bind`,
  );

  assert.match(await native.request('open', 'a', '127.0.0.1', 0, 5), /^ok 127\.0\.0\.1 \d+$/);
  assert.equal(await native.request('open', 'a', '127.0.0.1', 0, 5), `failed ${EEXIST} key`);
  assert.equal(await native.request('listen', 'b', 5), `failed ${ENOENT} key`);
  assert.equal(await native.request('close', 'b'), `failed ${ENOENT} key`);
  assert.equal(await native.request('close', 'a', 'too', 'much'), `failed ${EINVAL} key`);
});

test('malformed requests do no harm', async () => {
  await using native = new Native();
  const frames = ['', 'open', 'x'.repeat(70_000), '\0'.repeat(5000)];
  const words = [
    [''],
    ['open'],
    ['open', 't'],
    ['open', 't'.repeat(500), 'k'.repeat(500), 'h'.repeat(500), 'port', 'backlog'],
    ['launch'],
    ['launch', '', '7', 'run', 'events'],
    ['launch', '', '-1', 'run', 'events'],
    ['launch', '', '0', 'run', 'events'],
    ['launch', ',,', 'x', 'run'],
    ['no-verb', 'a', 'b'],
    ['take', 't', 'k', '-1', '-1', '-1'],
    ['take', 't', 'k', '', '', ''],
    ['borrow', 't', 'k', '', ''],
    ['borrow', 't', 'k', '/', '-1'],
  ];
  frames.push(...words.map((list) => list.map((word) => `${word}\0`).join('')));
  for (const frame of frames) native.sendRaw(Buffer.from(frame, 'latin1'));
  assert.match(await native.request('open', 'a', '127.0.0.1', 0, 5), /^ok/);
});

test('a socket that is only bound refuses connections until an application listens', async () => {
  await using native = new Native();
  const port = await freePort();
  assert.equal(await native.request('open', 'http', '', port, 0), `ok :: ${port}`);
  assert.equal(await reach('127.0.0.1', port), 'ECONNREFUSED');
  await native.launch('app', { argv: SERVE, keys: ['http'] });
  await until('the application answers', async () => (await greeting('127.0.0.1', port)) === 'hello');
});

test('sockets are descriptors 3 and 4, spares follow, and no other descriptor gets through', async () => {
  await using native = new Native();
  await native.request('open', 'a', '127.0.0.1', 0, 5);
  await native.request('open', 'b', `unix:${native.path('b.sock')}`, 0, 5);
  await native.request('open', 'unwanted', '127.0.0.1', 0, 5);
  const keys = ['b', 'a'];
  const { pid } = await native.launch('app', { argv: SLEEP, keys, options: ['channel'] });
  const files = descriptors(pid);
  assert.deepEqual(
    Object.keys(files),
    Array.from({ length: 13 }, (_, fd) => String(fd)),
  );
  const [b, a] = [files[3]!, files[4]!];
  assert.match(a, /^socket:/);
  assert.match(b, /^socket:/);
  assert.notEqual(a, b);
  assert.deepEqual(Object.values(files).slice(5, 11), [b, b, b, a, a, a]);
  assert.match(files[11]!, /^pipe:/);
  assert.equal(files[12], native.path('app', 'app'));

  const [first, second, ...others] = Object.values(socketsOf(await native.shimOf('app')));
  assert.deepEqual([first, second], [b, a]);
  assert.equal(others.length, 1, 'where it lends them');
});

test('an application without sockets sees its three descriptors, and what it opens itself', async () => {
  await using native = new Native();
  await native.request('open', 'unwanted', '127.0.0.1', 0, 5);
  native.launchUnseen('app', { argv: ['ls', '/proc/self/fd'], options: ['notify'] });
  assert.equal(await native.out('app'), '0\n1\n2\n3\n');
});

test('many sockets find their places whatever numbers they had before', async () => {
  await using native = new Native();
  const keys = Array.from({ length: 20 }, (_, index) => `socket-${index}`);
  for (const key of keys) await native.request('open', key, `unix:${native.path(key)}`, 0, 5);
  keys.reverse();
  const { pid } = await native.launch('app', { argv: SLEEP, keys, options: ['channel'] });
  const files = Object.values(descriptors(pid));
  assert.equal(files.length, 3 + 4 * 20 + 2);
  const sockets = files.slice(3, 23);
  assert.equal(new Set(sockets).size, 20);
  assert.deepEqual(
    files.slice(23, 83),
    sockets.flatMap((file) => [file, file, file]),
  );
  assert.equal(files.at(-1), native.path('app', 'app'));
});

test('a launch with an unknown key executes nothing, and says why', async () => {
  await using native = new Native();
  native.launchUnseen('app', { argv: SLEEP, keys: ['none'] });
  assert.match(await native.seen(/^app (.*)/), new RegExp(`^failed sockets ${ERRNO.ENOENT} \\d+$`));
  assert.ok(!existsSync(native.path('app')));
});

test('a launcher whose version was removed goes on launching, under the same name', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-removed-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const binary = join(folder, 'upkeep-shim');
  copyFileSync(shimPath(), binary);
  await using native = new Native(binary);
  await native.request('open', 'http', '127.0.0.1', 0, 5); // it runs
  rmSync(folder, { recursive: true });
  await native.launch('app', { argv: SLEEP });
  assert.equal(readProcess(await native.shimOf('app'))!.name, 'upkeep-shim');
});

test('LISTEN_PID is the pid of the application where LISTEN_FDS is set', async () => {
  await using native = new Native();
  await native.request('open', 'http', '127.0.0.1', 0, 5);
  const env = { LISTEN_FDS: '1', LISTEN_FDNAMES: 'http' };
  const argv = ['sh', '-c', 'echo $LISTEN_PID $$ $LISTEN_FDNAMES'];
  native.launchUnseen('app', { argv, keys: ['http'], env });
  const [listenPid, pid, names] = (await native.out('app')).trim().split(' ');
  assert.equal(listenPid, pid);
  assert.equal(names, 'http');
});

for (const kind of ['TCP', 'unix']) {
  test(`unlisten refuses connections to a ${kind} socket, and a later listen accepts them again`, async () => {
    await using native = new Native();
    const port = kind === 'TCP' ? await freePort() : 0;
    const address = kind === 'TCP' ? '127.0.0.1' : native.path('app.sock');
    const host = kind === 'TCP' ? address : `unix:${address}`;
    assert.match(await native.request('open', 'http', host, port, 0), /^ok/);
    assert.match(await native.request('unlisten', 'http'), /^ok/); // it does not listen: nothing to do
    assert.match(await native.request('listen', 'http', 5), /^ok/);
    assert.equal(await reach(address, port), 'connected');
    if (kind === 'unix') assert.equal(statSync(address).mode & 0o777, 0o777 & ~process.umask());

    for (let round = 0; round < 2; round++) {
      assert.equal(await native.request('unlisten', 'http'), `ok ${host} ${port}`);
      assert.equal(await reach(address, port), 'ECONNREFUSED');
      assert.equal(await native.request('listen', 'http', 5), `ok ${host} ${port}`);
      assert.equal(await reach(address, port), 'connected');
    }
    if (kind === 'unix') assert.equal(statSync(address).mode & 0o777, 0o777 & ~process.umask());

    await native.request('unlisten', 'http');
    await native.launch('app', { argv: SERVE, keys: ['http'] });
    await until('the application answers', async () => (await greeting(address, port)) === 'hello');
  });
}

test('close leaves a path alone that another has taken over', async () => {
  await using native = new Native();
  const path = native.path('app.sock');
  await native.request('open', 'unix', `unix:${path}`, 0, 5);
  rmSync(path);
  writeFileSync(path, 'mine');
  assert.equal(await native.request('unlisten', 'unix'), `failed ${ERRNO.EOPNOTSUPP} listen`);
  assert.match(await native.request('close', 'unix'), /^ok/);
  assert.ok(existsSync(path));
});

test('a socket taken from a process accepts connections after its death', async () => {
  await using native = new Native();
  const listen = node(`
    const server = require('net').createServer().listen(0, '127.0.0.1', () => {
      say(server._handle.fd + ' ' + server.address().port);
    })`);
  const { pid, startTicks } = await native.launch('app', { argv: listen, options: ['channel'] });
  const [fd, port] = (await native.seen(/^app said \d+ (.*)/)).split(' ').map(Number);
  const { ESRCH, EINVAL, EBADF } = ERRNO;
  assert.equal(await native.request('take', 'http', pid, startTicks + 1, fd!), `failed ${ESRCH} take`);
  assert.equal(await native.request('take', 'http', 999_999_999, startTicks, fd!), `failed ${ESRCH} take`);
  assert.equal(await native.request('take', 'http', pid, startTicks, 0), `failed ${EINVAL} take`);
  assert.equal(await native.request('take', 'http', pid, startTicks, 9999), `failed ${EBADF} take`);
  assert.equal(await native.request('take', 'http', pid, startTicks, fd!), `ok 127.0.0.1 ${port}`);

  process.kill(pid, 'SIGKILL');
  await native.seen(/^app exited/);
  assert.equal(await reach('127.0.0.1', port), 'connected');
  await native.launch('next', { argv: SERVE, keys: ['http'] });
  await until('the next application answers', async () => (await greeting('127.0.0.1', port)) === 'hello');
});

test('only a socket that listens or could listen is taken', async () => {
  await using native = new Native();
  const path = native.path('app.sock');
  const program = node(`
    const net = require('net'), dgram = require('dgram');
    const server = net.createServer((accepted) => {
      const udp = dgram.createSocket('udp4').bind(0, () => {
        const unix = net.createServer().listen(${JSON.stringify(path)}, () => {
          say([client, accepted, udp, unix].map((one) => (one._handle || one[Object.getOwnPropertySymbols(one)
            .find((symbol) => one[symbol] && one[symbol].handle)].handle).fd).join(' '));
        });
      });
    }).listen(0, '127.0.0.1', () => (client = net.connect(server.address().port, '127.0.0.1')));
    let client;`);
  const { pid, startTicks } = await native.launch('app', { argv: program, options: ['channel'] });
  const fds = (await native.seen(/^app said \d+ (.*)/)).split(' ').map(Number);
  const unix = fds.pop()!;
  for (const fd of fds) {
    assert.equal(await native.request('take', 'x', pid, startTicks, fd), `failed ${ERRNO.EINVAL} take`);
  }
  assert.equal(await native.request('take', 'x', pid, startTicks, unix), `ok unix:${path} 0`);
});

test('a shim keeps the sockets after launcher and application, until it leaves', async () => {
  await using native = new Native();
  const port = await freePort();
  await native.request('open', 'http', '127.0.0.1', port, 5);
  const { pid } = await native.launch('app', { argv: SLEEP, keys: ['http'] });
  const shim = await native.shimOf('app');
  await native.endLauncher();
  process.kill(pid, 'SIGKILL');
  await native.seen(/^app exited/);
  assert.equal(await reach('127.0.0.1', port), 'connected');
  process.kill(shim, 'SIGTERM');
  await until('nobody listens', async () => (await reach('127.0.0.1', port)) === 'ECONNREFUSED');
});

test('another launcher gets the sockets from the shim, whatever it may do to other processes', async () => {
  await using native = new Native();
  await using next = new Native();
  const port = await freePort();
  await native.request('open', 'unix', `unix:${native.path('app.sock')}`, 0, 5);
  await native.request('open', 'http', '127.0.0.1', port, 5);
  const { pid } = await native.launch('app', { argv: SLEEP, keys: ['unix', 'http'] });
  await native.endLauncher();
  const folder = native.path('app');
  assert.equal(await next.request('borrow', 'http', folder, 1), `ok 127.0.0.1 ${port}`);
  assert.equal(await next.request('borrow', 'unix', folder, 0), `ok unix:${native.path('app.sock')} 0`);
  assert.equal(await next.request('borrow', 'more', folder, 2), `failed ${ERRNO.ENOENT} borrow`);
  assert.equal(await next.request('borrow', 'none', native.path('none'), 0), `failed ${ERRNO.ENOENT} borrow`);

  process.kill(pid, 'SIGKILL');
  assert.deepEqual(await native.end('app'), undefined, 'nothing is left of the folder');
  assert.equal(await reach('127.0.0.1', port), 'connected');
  await next.launch('next', { argv: SERVE, keys: ['http'] });
  await until('the next application answers', async () => (await greeting('127.0.0.1', port)) === 'hello');
});

test('a suspended shim does not keep the launcher for ever', async () => {
  await using native = new Native();
  await using next = new Native();
  await native.request('open', 'http', '127.0.0.1', 0, 5);
  await native.launch('app', { argv: SLEEP, keys: ['http'] });
  const shim = await native.shimOf('app');
  process.kill(shim, 'SIGSTOP');
  assert.equal(await next.request('borrow', 'http', native.path('app'), 0), `failed ${ERRNO.EAGAIN} borrow`);
  process.kill(shim, 'SIGCONT');
  assert.match(await next.request('borrow', 'http', native.path('app'), 0), /^ok 127/);
});

test('a shim that is started without the sockets that it should have says so', async () => {
  await using native = new Native();
  const args = [
    'run',
    native.path('app'),
    native.path('events'),
    `log=${native.path('logs')}`,
    'fds=2',
    '--',
    ...SLEEP,
  ];
  const child = spawn(native.binary, args, { stdio: 'ignore' });
  await once(child, 'exit');
  assert.match(await native.seen(/^app failed (.*)/), new RegExp(`^sockets ${ERRNO.EBADF} `));
});

/** Whether the kernel accepts a connection; nobody has to take it out of the backlog. */
async function reach(host: string, port = 0): Promise<string> {
  const socket = dial(host, port);
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  } finally {
    socket.destroy();
  }
}

/** What the application says to a connection. */
async function greeting(host: string, port = 0): Promise<string> {
  try {
    return await text(dial(host, port));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  }
}

function dial(host: string, port: number): Socket {
  return host.startsWith('/') ? connect(host) : connect(port, host);
}

/** Where each descriptor of a process leads. */
function descriptors(pid: number): Record<string, string> {
  const folder = `/proc/${pid}/fd`;
  return Object.fromEntries(readdirSync(folder).map((fd) => [fd, readlinkSync(`${folder}/${fd}`)]));
}

/** Without stderr, which is the test runner's. */
function socketsOf(pid: number): Record<string, string> {
  const entries = Object.entries(descriptors(pid));
  return Object.fromEntries(entries.filter(([fd, file]) => Number(fd) > 2 && file.startsWith('socket:')));
}

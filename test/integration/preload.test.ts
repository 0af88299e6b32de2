/** The preload in a Node application: sockets of the service, words to upkeep, hold, private sockets. The test plays the shim. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, Wire } from '../rig/ask.js';
import { app, until } from '../rig/index.js';
import { PreloadHost } from '../rig/preload-host.js';

const SERVER = ['node', app('serves-http.cjs')];

test('an application gets the socket of its service where it listens, and sees what it would see without', async () => {
  for (const [host, target] of [
    ['::', undefined],
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['127.0.0.1', 'localhost'],
  ] as const) {
    await using preload = new PreloadHost();
    const { port } = preload.hold(host);
    const env = { PORT: String(port), ...(target && { HOST: target }), NODE_OPTIONS_TEST: '1' };
    const attempt = preload.start(SERVER, { env, options: '--dns-result-order=ipv4first' });
    const printed = await attempt.untilPrinted(/^listening/);
    await attempt.untilSaid(/^listening/);
    assert.deepEqual(attempt.said, [
      `hello ${attempt.pid} ${process.version}`,
      `control ${attempt.pid}`,
      `listening ${attempt.pid} 3 ${host} ${port} held`,
    ]);
    assert.deepEqual(JSON.parse(printed.slice('listening '.length)), {
      address: host,
      family: host.includes(':') ? 'IPv6' : 'IPv4',
      port,
    });
    assert.equal((await ask(port)).body, `hello ${attempt.pid} 1.1`);
  }
});

test('an address that is not the held one is bound by the application, unless it was declared', async () => {
  await using preload = new PreloadHost();
  const declared = preload.hold('0.0.0.0', 0, true);
  const other = preload.hold('127.0.0.2');
  const mapped = preload.start(SERVER, { env: { PORT: String(declared.port), HOST: '127.0.0.1' } });
  const [, , , address, , origin] = await mapped.untilSaid(/^listening/);
  assert.deepEqual([address, origin], ['0.0.0.0', 'held']);
  const own = preload.start(SERVER, { env: { PORT: String(other.port), HOST: '127.0.0.3' } });
  assert.match((await own.untilSaid(/^listening/)).join(' '), /^listening \d+ \d+ 127\.0\.0\.3 \d+ own$/);
});

test('a connection that is made while no application runs is answered by the next one', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const first = preload.start(SERVER, { env: { PORT: String(port) } });
  await first.untilSaid(/^listening/);
  first.kill('SIGKILL');
  await first.ended;
  const reply = ask(port);
  const second = preload.start(SERVER, { env: { PORT: String(port) } });
  assert.equal((await reply).body, `hello ${second.pid} 1.1`);
});

test('who listens, closes and listens again keeps the socket, as often as there are spare descriptors', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', LISTENS_AGAIN], { env: { PORT: String(port), TIMES: '4' } });
  await until(
    'it listened four times',
    () => attempt.said.filter((line) => line.endsWith('held')).length === 4,
  );
  assert.equal((await ask(port)).body, 'fourth');
  assert.equal(
    (await ask(port, '/', { socketPath: attempt.socket(`${attempt.pid}.${port}`) })).body,
    'fourth',
  );
});

const LISTENS_AGAIN = `
  const http = require('http');
  let left = Number(process.env.TIMES);
  (function again() {
    const server = http.createServer((request, response) => response.end(left === 0 ? 'fourth' : 'earlier'));
    server.listen(Number(process.env.PORT), () => { if (--left > 0) server.close(again); });
  })();
`;

for (const hold of [false, true]) {
  test(`a second server at the same port fails as ever${hold ? ', even before any accepts' : ''}`, async () => {
    await using preload = new PreloadHost();
    const { port } = preload.hold('::');
    const attempt = preload.start(['node', '-e', LISTENS_TWICE], { hold, env: { PORT: String(port) } });
    await attempt.untilPrinted(/^EADDRINUSE listen/);
    assert.equal(attempt.said.filter((line) => line.startsWith('listening')).length, 1);
  });
}

const LISTENS_TWICE = `
  const net = require('net'), port = Number(process.env.PORT);
  net.createServer().listen(port, () => {
    net.createServer().listen(port).on('error', ({ code, syscall }) => console.log(code, syscall));
  });
`;

test('a server in the place of one that is gone waits for its port, and fails where nobody lets it go', async () => {
  await using preload = new PreloadHost();
  const { port, handle } = preload.hold('127.0.0.1'); // nobody else gets it
  handle.close();
  const env = { PORT: String(port), HOST: '127.0.0.1', SERVER: SERVER[1] };
  const wrapper = preload.start(['node', '-e', WRAPPER], { env, sockets: [] });
  for (const isLetGo of [true, false]) {
    const server = Number((await wrapper.untilSaid(/^listening/))[1]);
    process.kill(server, 'SIGKILL');
    await wrapper.untilPrinted(/^gone/);
    const holder = createServer().listen(port, '127.0.0.1');
    await once(holder, 'listening');
    wrapper.said.length = 0;
    wrapper.stdout = '';
    wrapper.kill('SIGUSR2');
    await wrapper.untilSaid(/^blocked/);
    if (!isLetGo) await wrapper.untilPrinted(/^error EADDRINUSE/);
    holder.close();
  }
});

/** Starts a server, and another at each SIGUSR2. */
const WRAPPER = `
  const { spawn } = require('child_process');
  const start = () => spawn(process.execPath, [process.env.SERVER], { stdio: 'inherit' }).on('exit', () => console.log('gone'));
  process.on('SIGUSR2', start);
  setInterval(() => {}, 1000);
  start();
`;

test('an application that knows the descriptor listens on it by itself', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start([
    'node',
    '-e',
    `require('http').createServer((_, r) => r.end('by fd')).listen({ fd: 4 })`,
  ]);
  assert.equal(
    (await attempt.untilSaid(/^listening/)).join(' '),
    `listening ${attempt.pid} 4 :: ${port} held`,
  );
  assert.equal((await ask(port)).body, 'by fd');
});

test('a unix socket is kept, unless the application has removed its file', async () => {
  await using preload = new PreloadHost();
  const path = join(preload.folder, 'held.sock');
  preload.hold(`unix:${path}`);
  const kept = preload.start(SERVER, { env: { SOCKET: path } });
  const printed = await kept.untilPrinted(/^listening/);
  assert.equal(printed, `listening ${JSON.stringify(path)}`);
  assert.deepEqual((await kept.untilSaid(/^listening/)).slice(3), [`unix:${path}`, '0', 'held']);
  assert.equal((await ask(0, '/', { socketPath: path })).body, `hello ${kept.pid} 1.1`);
  kept.kill('SIGKILL');
  await kept.ended;
  rmSync(path);
  const anew = preload.start(SERVER, { env: { SOCKET: path } });
  assert.deepEqual((await anew.untilSaid(/^listening/)).slice(3), [`unix:${path}`, '0', 'own']);
  assert.equal((await ask(0, '/', { socketPath: path })).body, `hello ${anew.pid} 1.1`);
});

for (const policy of ['rr', 'none']) {
  test(`the workers of a cluster serve the socket of the service (${policy})`, async () => {
    await using preload = new PreloadHost();
    const { port } = preload.hold('::');
    const env = { PORT: String(port), NODE_CLUSTER_SCHED_POLICY: policy };
    const attempt = preload.start(['node', app('clusters.cjs')], { env });
    const shared = () => attempt.said.filter((line) => line.endsWith(`:: ${port} shared`));
    await until('both workers listen', () => shared().length === 2);
    assert.match((await ask(port)).body, /^hello \d+ 1\.1$/);
    const workers = shared().map((line) => Number(line.split(' ')[1]));
    if (policy === 'rr') {
      assert.ok(attempt.said.includes(`listening ${attempt.pid} 3 :: ${port} held`));
      const socketPath = attempt.socket(`${attempt.pid}.${port}`);
      assert.match((await ask(port, '/', { socketPath })).body, /^hello \d+ 1\.1$/);
    }
    process.kill(workers[0]!, 'SIGKILL');
    await until('a third worker listens', () => shared().length === 3);
    assert.match((await ask(port)).body, /^hello \d+ 1\.1$/);
  });
}

test('a thread that listens gets the socket, too, but only one', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', LISTENS_IN_THREADS], { env: { PORT: String(port) } });
  assert.deepEqual((await attempt.untilSaid(/^listening/)).slice(3), ['::', String(port), 'held']);
  await attempt.untilPrinted(/^second: EADDRINUSE$/);
  await attempt.untilPrinted(/^main: EADDRINUSE$/);
  await attempt.untilPrinted(/^main again: listening$/);
  assert.equal((await ask(port)).body, 'main');
});

const LISTENS_IN_THREADS = `
  const { Worker } = require('worker_threads'), http = require('http'), port = Number(process.env.PORT);
  const code = \`
    const server = require('http').createServer((q, r) => r.end('thread'));
    const { parentPort } = require('worker_threads');
    server.on('error', ({ code }) => parentPort.postMessage(code)).listen(\${port}, () => parentPort.postMessage('listening'));
    parentPort.on('message', () => server.close(() => parentPort.postMessage('closed')));
  \`;
  const first = new Worker(code, { eval: true });
  first.once('message', () => {
    new Worker(code, { eval: true }).on('message', (message) => console.log('second: ' + message));
    const serve = (name, next) => http.createServer((q, r) => r.end('main'))
      .on('error', ({ code }) => { console.log(name + ': ' + code); next(); })
      .listen(port, () => console.log(name + ': listening'));
    serve('main', () => setTimeout(() => {
      first.once('message', () => serve('main again'));
      first.postMessage('close');
    }, 300));
  });
`;

test('who waits for more than fits into one answer says how many of each kind there are', async () => {
  await using preload = new PreloadHost();
  const many =
    'for (let i = 0; i < 30000; i++) setTimeout(() => undefined, 1000000 + i); console.log("waits")';
  const attempt = preload.start(['node', '-e', many], { messages: true });
  await attempt.untilPrinted(/^waits/);
  const control = await attempt.control();
  const { resources } = (await control.ask({ do: 'ping', resources: true })) as {
    resources: { [kind: string]: number };
  };
  assert.equal(resources['Timeout'], 30_000);
  control.close();
});

test('"hold": the application believes that it listens, is served through its private socket, and accepts when attached', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(SERVER, { hold: true, env: { PORT: String(port) } });
  await attempt.untilPrinted(/^listening/);
  await assert.rejects(ask(port), /ECONNREFUSED/);
  const socketPath = attempt.socket(`${attempt.pid}.${port}`);
  assert.equal((await ask(port, '/', { socketPath })).body, `hello ${attempt.pid} 1.1`);
  const control = await attempt.control();
  assert.deepEqual(await control.ask({ do: 'attach' }), { ok: true });
  assert.equal((await ask(port)).body, `hello ${attempt.pid} 1.1`);
  control.close();
});

test('"hold": who has closed what it tried, and whose thread has a port of its own, is attached', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', TRIES_FIRST], { hold: true, env: { PORT: String(port) } });
  await attempt.untilPrinted(/^listening/);
  const control = await attempt.control();
  assert.deepEqual(await control.ask({ do: 'attach' }), { ok: true });
  assert.equal((await ask(port)).body, 'main');
  control.close();
});

test('"hold": a thread that listens on the held port cannot be told, which is said', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const env = { PORT: '0', THREAD_PORT: String(port) };
  const attempt = preload.start(['node', '-e', TRIES_FIRST], { hold: true, env });
  await attempt.untilPrinted(/^listening/);
  const control = await attempt.control();
  assert.deepEqual(await control.ask({ do: 'attach' }), { error: 'a server of it does not listen' });
  control.close();
});

const TRIES_FIRST = `
  const { Worker } = require('worker_threads'), http = require('http'), port = Number(process.env.PORT);
  const code = "const s = require('net').createServer().listen(" + Number(process.env.THREAD_PORT || 0) +
    ", () => require('worker_threads').parentPort.postMessage(0))";
  const tried = http.createServer().listen(port, () => tried.close(() => {
    const server = http.createServer((q, r) => r.end('main'));
    new Worker(code, { eval: true }).on('message', () => server.listen(port, () => console.log('listening')));
  }));
`;

test('"hold": a thread that begins to listen after the attach takes traffic', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(['node', '-e', THREAD_COMES_LATE], {
    hold: true,
    env: { PORT: String(port) },
  });
  await attempt.untilPrinted(/^listening/);
  const control = await attempt.control();
  assert.deepEqual(await control.ask({ do: 'attach' }), { ok: true });
  assert.equal((await ask(port)).body, 'main'); // which closes then
  await attempt.untilPrinted(/^thread: listening/);
  assert.equal((await ask(port)).body, 'thread');
  assert.deepEqual(await control.ask({ do: 'attach' }), { ok: true }, 'as by a daemon that comes later');
  control.close();
});

const THREAD_COMES_LATE = `
  const { Worker } = require('worker_threads'), port = Number(process.env.PORT);
  const code = "const { parentPort } = require('worker_threads');" +
    "require('http').createServer((q, r) => r.end('thread')).listen(" + port + ", () => parentPort.postMessage('listening'))";
  const serve = () => new Worker(code, { eval: true }).on('message', (message) => console.log('thread: ' + message));
  const server = require('http').createServer((q, r) => r.end('main', () => {
    server.close(() => serve());
    server.closeAllConnections();
  }));
  server.listen(port, () => console.log('listening'));
`;

test('"hold": a server that is closed before it was attached lets the process end', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(SERVER, { hold: true, env: { PORT: String(port), GRACEFUL: '1' } });
  await attempt.untilPrinted(/^listening/);
  attempt.kill();
  assert.deepEqual(await attempt.ended, { code: 0, signal: null });
  assert.match(attempt.stdout, /closed well/);
});

test('"messages": "ready" of process.send is heard, and a message arrives', async () => {
  await using preload = new PreloadHost();
  const code = `process.on('message', (m) => console.log('got', m)); setInterval(() => {}, 1e6);
    console.log(process.send('ready', () => console.log('sent')));`;
  const attempt = preload.start(['node', '-e', code], { messages: true });
  await attempt.untilSaid(/^ready \d+$/);
  await attempt.untilPrinted(/^sent$/);
  const control = await attempt.control();
  assert.deepEqual(await control.ask({ do: 'message', message: 'shutdown' }), { ok: true });
  await attempt.untilPrinted(/^got shutdown$/);
  control.close();
});

test('nonsense on the control socket is answered and does no harm', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start(SERVER, { env: { PORT: String(port) } });
  const control = await attempt.control();
  assert.ok('error' in (await control.ask({ do: 'dance' })));
  assert.ok('error' in (await control.ask([null])));
  assert.equal((await ask(port)).status, 200);
  control.close();
});

test('a program that has nothing to do ends, whatever upkeep has opened in it', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const code = `const s = require('http').createServer().listen(${port}, () => s.close())`;
  for (const messages of [false, true]) {
    const attempt = preload.start(['node', '-e', code], { messages });
    assert.deepEqual(await attempt.ended, { code: 0, signal: null });
    assert.equal(attempt.stderr, '');
  }
});

test('descriptors that were lost on the way are not mistaken for others', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const shell = `for fd in 3 4 5 6 7 8; do eval "exec $fd>&-"; done; exec "$0" "$@"`;
  const attempt = preload.start(['sh', '-c', shell, process.execPath, ...SERVER.slice(1)], {
    env: { PORT: '0' },
  });
  await attempt.untilPrinted(/^listening/);
  assert.deepEqual(attempt.said, []);
  void port;
});

test('a connection that the application handles with raw sockets works through the held socket', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const attempt = preload.start([
    'node',
    '-e',
    `require('net').createServer((s) => s.pipe(s)).listen(${port})`,
  ]);
  await attempt.untilSaid(/^listening/);
  const wire = Wire.to(port).say('echo');
  await wire.hears('echo');
  wire.close();
});

test('an application in ESM and one in TypeScript are served as well', async () => {
  await using preload = new PreloadHost();
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-esm-'));
  try {
    for (const [name, node] of [
      ['app.mjs', []],
      ['app.ts', ['--import', import.meta.resolve('tsx')]],
    ] as const) {
      const { port } = preload.hold('::');
      const file = join(folder, name);
      writeFileSync(
        file,
        `import { createServer } from 'node:http'; createServer((q, r) => r.end('esm')).listen(${port});`,
      );
      const attempt = preload.start(['node', ...node, file]);
      await attempt.untilSaid(new RegExp(`:: ${port} held$`));
      assert.equal((await ask(port)).body, 'esm');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

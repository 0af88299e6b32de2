/** The drain of the preload: every kind of connection ends whole, and the application notices nothing. The test plays the shim. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http, { Agent } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ask, Wire } from '../rig/ask.js';
import { app, until } from '../rig/index.js';
import {
  type AttemptOptions,
  type ControlConnection,
  type HostedAttempt,
  PreloadHost,
} from '../rig/preload-host.js';

const SERVER = ['node', app('serves-http.cjs')];
const TLS = fileURLToPath(new URL('../fixtures/tls/', import.meta.url));
const ca = readFileSync(`${TLS}cert.pem`);
const STOP = { do: 'drain', mode: 'stop', deadlineMs: 15_000, idleMs: 300 };

/** An application that listens at a held port, and a line to it. */
class Served implements AsyncDisposable {
  private constructor(
    readonly preload: PreloadHost,
    readonly port: number,
    readonly attempt: HostedAttempt,
    readonly control: ControlConnection,
  ) {}

  static async start(command: readonly string[] = SERVER, options: AttemptOptions = {}): Promise<Served> {
    const preload = new PreloadHost();
    const { port } = preload.hold('::');
    const env = { PORT: String(port), TLS, ...options.env };
    const attempt = preload.start(command, { ...options, env });
    const [, pid] = await attempt.untilSaid(/^listening/);
    return new Served(preload, port, attempt, await attempt.control(Number(pid)));
  }

  /** So many requests of it have arrived. */
  async got(path: string, count = 1): Promise<void> {
    const line = `got ${path}`;
    await until(`${path} arrived`, () => this.attempt.lines.filter((each) => each === line).length >= count);
  }

  /** Now what was held is answered. */
  finish(): void {
    this.attempt.kill('SIGUSR2');
  }

  async drain(options: object = {}): Promise<void> {
    assert.deepEqual(await this.control.ask({ ...STOP, ...options }), { ok: true });
  }

  async isDrained(cut = 0): Promise<void> {
    assert.deepEqual(await this.control.next(), { drained: true, cut });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control.close();
    await this.preload[Symbol.asyncDispose]();
  }
}

test('nothing to wait for: a drain is over at once, the process stays until the signal', async () => {
  await using served = await Served.start();
  await served.drain();
  await served.isDrained();
  await assert.rejects(ask(served.port, '/', { timeout: 100, signal: AbortSignal.timeout(200) }));
  assert.equal(served.attempt.process.exitCode, null);
  served.attempt.kill();
  assert.deepEqual(await served.attempt.ended, { code: null, signal: 'SIGTERM' });
});

for (const graceful of ['exit', 'close']) {
  test(`the application closes its server after a drain as ever, and then ${graceful === 'exit' ? 'exits' : 'ends by itself'}`, async () => {
    await using served = await Served.start(SERVER, { env: { GRACEFUL: graceful } });
    await served.drain();
    await served.isDrained();
    served.attempt.kill();
    assert.deepEqual(await served.attempt.ended, { code: 0, signal: null });
    assert.match(served.attempt.stdout, /closed well/);
  });
}

test('the application closes its server in the middle of a drain', async () => {
  await using served = await Served.start(SERVER, { env: { GRACEFUL: 'close' } });
  const slow = ask(served.port, '/slow?600');
  await served.got('/slow?600');
  await served.drain();
  served.attempt.kill();
  assert.equal((await slow).body, `slow ${served.attempt.pid}`);
  assert.deepEqual(await served.attempt.ended, { code: 0, signal: null });
});

test('a response under way ends, and says that it is the last one', async () => {
  await using served = await Served.start();
  const agent = new Agent({ keepAlive: true });
  const held = ask(served.port, '/held', { agent });
  await served.got('/held');
  await served.drain();
  served.finish();
  const reply = await held;
  assert.deepEqual([reply.body, reply.headers.connection], [`held ${served.attempt.pid}`, 'close']);
  await served.isDrained();
  agent.destroy();
});

test('a chunked download and an upload under way end', async () => {
  await using served = await Served.start();
  const chunks = ask(served.port, '/chunks?600');
  const upload = http.request({ port: served.port, host: '127.0.0.1', path: '/upload', method: 'POST' });
  const uploaded = new Promise<string>((resolve, reject) => {
    upload.on('response', (response) => response.setEncoding('utf8').on('data', resolve)).on('error', reject);
  });
  upload.write('x'.repeat(100_000));
  await served.got('/chunks?600');
  await served.got('/upload');
  await served.drain();
  for (let left = 10; left > 0; left--) {
    upload.write('y'.repeat(10_000));
    await delay(40);
  }
  upload.end();
  assert.match((await chunks).body, /^(chunk \d+\n){10}end\n$/);
  assert.equal(await uploaded, 'got 200000');
  await served.isDrained();
});

test('an idle keep-alive connection is closed after its silence, not before', async () => {
  await using served = await Served.start();
  const wire = Wire.to(served.port).say('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await wire.hears(`hello`);
  await served.drain({ idleMs: 10_000 });
  await delay(150);
  assert.equal(wire.isEnded, false);
  wire.say('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await wire.hears('Connection: close');
  await wire.ends();
  assert.equal(wire.heard.split('hello').length, 3);
  await served.isDrained();
});

test('a silent connection is closed without an error for the client', async () => {
  await using served = await Served.start();
  const wires = [Wire.to(served.port), Wire.to(served.port).say('GET / HTTP/1.1\r\nHost: x\r\n\r\n')];
  await wires[1]!.hears('hello');
  await served.drain();
  for (const wire of wires) {
    await wire.ends();
    assert.equal(wire.error, null);
  }
  await served.isDrained();
});

test('requests that are in the pipeline are all answered', async () => {
  await using served = await Served.start();
  const wire = Wire.to(served.port).say(
    ['/slow?500', '/slow?1', '/'].map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''),
  );
  await served.got('/slow?500');
  await served.drain();
  await wire.ends();
  assert.match(wire.heard, /slow \d+HTTP[^]*slow \d+HTTP[^]*hello \d+ 1\.1/);
  await served.isDrained();
});

test('a pipeline that goes on while the drain does is answered up to the response that says it is the last', async () => {
  await using served = await Served.start();
  const wire = Wire.to(served.port).say('GET /held HTTP/1.1\r\nHost: x\r\n\r\n');
  await served.got('/held');
  await served.drain();
  wire.say('GET /slow?100 HTTP/1.1\r\nHost: x\r\n\r\nGET /slow?200 HTTP/1.1\r\nHost: x\r\n\r\n');
  await served.got('/slow?200');
  served.finish();
  await wire.ends();
  assert.equal(wire.heard.split('HTTP/1.1 200').length, 4);
  assert.equal(wire.heard.split('Connection: close').length, 2);
  assert.equal(wire.error, null);
  await served.isDrained();
});

test('clients of HTTP/1.0 are answered', async () => {
  await using served = await Served.start();
  const wires = ['', 'Connection: keep-alive\r\n'].map((header) =>
    Wire.to(served.port).say(`GET /slow?300 HTTP/1.0\r\n${header}\r\n`),
  );
  await served.got('/slow?300', 2);
  await served.drain();
  for (const wire of wires) {
    await wire.hears(`slow ${served.attempt.pid}`);
    await wire.ends();
  }
  await served.isDrained();
});

test('event streams and upgraded connections live until the deadline, and are counted', async () => {
  await using served = await Served.start();
  const events = Wire.to(served.port).say('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  const upgraded = Wire.to(served.port).say(
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
  );
  await events.hears('data: first');
  await upgraded.hears('101 Switching');
  const begunAt = performance.now();
  await served.drain({ deadlineMs: 4000 });
  upgraded.say('still there');
  await upgraded.hears('still there');
  assert.equal(events.isEnded, false);
  await served.isDrained(2);
  const livedMs = performance.now() - begunAt;
  assert.ok(livedMs > 3900, `${livedMs} ms`);
  await events.ends();
  await upgraded.ends();
});

test('a raw connection is left alone until it ends', async () => {
  await using served = await Served.start([
    'node',
    '-e',
    `require('net').createServer((s) => s.pipe(s)).listen(+process.env.PORT)`,
  ]);
  const wire = Wire.to(served.port).say('one');
  await wire.hears('one');
  await served.drain();
  await delay(600);
  wire.say('two');
  await wire.hears('two');
  wire.socket.end();
  await served.isDrained();
});

test('a client that reads slowly gets all of it', async () => {
  const code = `require('http').createServer((q, r) => r.end('x'.repeat(30e6))).listen(+process.env.PORT)`;
  await using served = await Served.start(['node', '-e', code]);
  const wire = Wire.to(served.port).say('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await wire.hears('200 OK');
  wire.socket.pause();
  await served.drain();
  await delay(1800);
  wire.socket.resume();
  await wire.ends();
  assert.equal(wire.error, null);
  assert.ok(wire.heard.length > 30e6, `${wire.heard.length} bytes`);
  await served.isDrained();
});

test('who asks again while it drains, or after it, is answered, too', async () => {
  await using served = await Served.start();
  const slow = ask(served.port, '/slow?600');
  await served.got('/slow?600');
  await served.drain();
  const second = await served.attempt.control();
  assert.deepEqual(await second.ask(STOP), { ok: true });
  assert.match((await slow).body, /^slow/);
  await served.isDrained();
  assert.deepEqual(await second.next(), { drained: true, cut: 0 });
  assert.deepEqual(await second.ask(STOP), { ok: true });
  assert.deepEqual(await second.next(), { drained: true, cut: 0 });
  second.close();
});

/** As serves-http.cjs does it: /slow is answered when that is told. */
const SECURE = `
  const held = [];
  process.on('SIGUSR2', () => held.splice(0).forEach((answer) => answer()));
  const read = (name) => require('fs').readFileSync(process.env.TLS + name);
  const options = { key: read('key.pem'), cert: read('cert.pem') };
  const listener = (request, response) => {
    console.log('got ' + request.url);
    if (request.url === '/slow') held.push(() => response.end('slow'));
    else response.end('fast');
  };
`;

test('https: responses end, idle connections are closed', async () => {
  const code = `${SECURE} require('https').createServer(options, listener).listen(+process.env.PORT)`;
  await using served = await Served.start(['node', '-e', code]);
  const agent = new https.Agent({ keepAlive: true, ca });
  const get = (path: string) =>
    new Promise<http.IncomingMessage & { body?: string }>((resolve, reject) => {
      const request = https.get(
        { port: served.port, host: 'localhost', family: 4, path, agent },
        (response) => {
          response.on('data', (chunk) => Object.assign(response, { body: String(chunk) }));
          response.on('end', () => resolve(response));
        },
      );
      request.on('error', reject);
    });
  await get('/');
  const second = get('/'); // two connections: one will be idle
  const slow = get('/slow');
  await second;
  await served.got('/slow');
  await served.drain();
  served.finish();
  const reply = await slow;
  assert.deepEqual([reply.body, reply.headers.connection], ['slow', 'close']);
  await served.isDrained();
  agent.destroy();
});

for (const isSecure of [false, true]) {
  test(`${isSecure ? 'https' : 'plain'} HTTP/2: streams end after the notice, and the session with them`, async () => {
    const create = isSecure ? 'createSecureServer(options, listener)' : 'createServer(listener)';
    const code = `${SECURE} require('http2').${create}.listen(+process.env.PORT)`;
    await using served = await Served.start(['node', '-e', code]);
    const session = http2.connect(`${isSecure ? 'https' : 'http'}://localhost:${served.port}`, { ca });
    let notices = 0;
    session.on('goaway', () => notices++);
    const slow = stream(session, '/slow');
    const idle = http2.connect(`${isSecure ? 'https' : 'http'}://localhost:${served.port}`, { ca });
    await stream(idle, '/');
    await served.got('/slow');
    await served.drain();
    await until('the notice came', () => notices > 0);
    served.finish();
    assert.equal(await slow, 'slow');
    await served.isDrained();
    await until('both sessions are closed', () => session.closed && idle.closed);
  });
}

function stream(session: http2.ClientHttp2Session, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = '';
    const request = session.request({ ':path': path });
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => resolve(body)).on('error', reject);
  });
}

test('an event loop that is blocked drains late, but whole', async () => {
  await using served = await Served.start();
  const blocked = ask(served.port, '/block?700');
  await served.got('/block?700');
  const waiting = ask(served.port, '/');
  await served.drain();
  assert.equal((await blocked).body, 'blocked');
  assert.match((await Promise.race([waiting, takenOver(served)])).body, /^hello/);
  await served.isDrained();
});

/** What was not accepted yet waits for the next attempt. */
async function takenOver({ preload, port }: Served): Promise<never> {
  const next = preload.start(SERVER, { env: { PORT: String(port) } });
  await next.untilSaid(/^listening/);
  return new Promise(() => undefined);
}

test('"restart": goes on accepting while a response lasts, at most for half of the deadline', async () => {
  await using served = await Served.start();
  const held = ask(served.port, '/held');
  await served.got('/held');
  await served.drain({ mode: 'restart' });
  const reply = await ask(served.port, '/', { agent: new Agent({ keepAlive: true }) });
  assert.equal(reply.headers.connection, 'close');
  served.finish();
  assert.match((await held).body, /^held/);
  await served.isDrained();
  await assert.rejects(ask(served.port, '/', { signal: AbortSignal.timeout(200) }));
});

for (const policy of ['rr', 'none']) {
  test(`cluster (${policy}): workers answer what they have, the primary accepts nothing more`, async () => {
    const env = { NODE_CLUSTER_SCHED_POLICY: policy, GRACEFUL: 'exit' };
    await using served = await Served.start(['node', app('clusters.cjs')], { env });
    const { attempt, port } = served;
    const workers = await until('both workers listen', () => {
      const pids = attempt.said
        .filter((line) => line.endsWith('shared'))
        .map((line) => Number(line.split(' ')[1]));
      return pids.length === 2 && pids;
    });
    const slow = [1, 2, 3, 4].map(() => ask(port, '/slow?500'));
    await served.got('/slow?500', slow.length);
    // Without round robin the primary only binds: nobody hears of it, and there is nothing to drain in it.
    const listening = policy === 'rr' ? [attempt.pid, ...workers] : workers;
    const controls = await Promise.all(listening.map((pid) => attempt.control(pid)));
    for (const control of controls) assert.deepEqual(await control.ask(STOP), { ok: true });
    for (const reply of await Promise.all(slow)) assert.match(reply.body, /^slow/);
    for (const control of controls) assert.deepEqual(await control.next(), { drained: true, cut: 0 });
    await assert.rejects(ask(port, '/', { signal: AbortSignal.timeout(200) }));
    for (const control of controls) control.close();
  });
}

test(
  '20 drains under load lose no request: the next attempt shares the socket',
  { timeout: 120_000 },
  async () => {
    await using preload = new PreloadHost();
    const { port } = preload.hold('::');
    const start = async () => {
      const attempt = preload.start(SERVER, { env: { PORT: String(port) } });
      await attempt.untilSaid(/^listening/);
      return attempt;
    };
    let current = await start();
    const load = new Load(port);
    for (let round = 0; round < 20; round++) {
      const next = await start();
      const control = await current.control();
      assert.deepEqual(await control.ask({ ...STOP, mode: 'reload' }), { ok: true });
      assert.deepEqual(await control.next(), { drained: true, cut: 0 });
      control.close();
      current.kill();
      await current.ended;
      current = next;
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.answered > 500, `${load.answered} answers`);
  },
);

/** 200 requests a second, of keep-alive connections and of new ones. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(port: number) {
    let count = 0;
    this.#timer = setInterval(() => {
      const path = ++count % 10 === 0 ? '/slow?50' : '/';
      const request = ask(port, path, { agent: count % 4 === 0 ? false : this.#agent }).then(
        ({ status }) => void (status === 200 ? this.answered++ : this.failures.push(String(status))),
        (error: NodeJS.ErrnoException) => void this.failures.push(`${path} ${error.code} ${error.message}`),
      );
      this.#open.add(request);
      void request.then(() => this.#open.delete(request));
    }, 5);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
  }
}

/** The sockets of a service are not its processes': whoever connects while none accepts is answered by the next one. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import { readCommand } from '../../src/system/index.js';
import {
  app,
  assertSucceeded,
  failureOf,
  freePort,
  isRefused,
  knock,
  learned,
  Load,
  Rig,
  serve,
  visit,
  type Puppet,
} from '../rig/index.js';

const CRASHES: Record<string, (puppet: Puppet) => Promise<void>> = {
  'an exit': (puppet) => puppet.exit(0),
  'an exception': (puppet) => puppet.throw(),
  SIGKILL: (puppet) => puppet.crash('SIGKILL'),
};

for (const [title, crash] of Object.entries(CRASHES)) {
  test(`a connection that comes after ${title} is answered by the next attempt`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const first = await serve(rig, port, { port });
    assert.equal(await visit(port), String(first.pid));
    await crash(first);
    await nextAnswers(rig, port);
  });
}

/** By what is declared, and what the application says. */
const ADDRESSES: readonly { title: string; declared: ServiceConfig; host: string | null; to?: string }[] = [
  { title: 'nothing is declared', declared: {}, host: null },
  { title: 'nothing is declared, for IPv6', declared: {}, host: null, to: '::1' },
  { title: 'nothing is declared and it listens on 127.0.0.1', declared: {}, host: '127.0.0.1' },
  { title: 'nothing is declared and it listens on ::1', declared: {}, host: '::1', to: '::1' },
  {
    title: 'nothing is declared and it listens on localhost',
    declared: {},
    host: 'localhost',
    to: 'localhost',
  },
  { title: 'nothing is declared and it listens on 0.0.0.0', declared: {}, host: '0.0.0.0' },
];

for (const { title, declared, host, to = '127.0.0.1' } of ADDRESSES) {
  test(`a connection waits for the next attempt, where ${title}`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const first = await serve(rig, port, declared, { host });
    assert.equal(await visit(port, { host: to }), String(first.pid));
    await first.exit(1);
    await nextAnswers(rig, port, { host, to });
  });
}

for (const host of ['127.0.0.1', '0.0.0.0', '::', null]) {
  test(`a connection waits for the next attempt, where the port is declared and it listens on ${host}`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const first = await serve(rig, port, { port }, { host });
    assert.equal(await visit(port), String(first.pid));
    await first.exit(1);
    const second = await nextAnswers(rig, port, { host });
    await second.exit(1);
    await nextAnswers(rig, port, { host, after: 2 });
  });
}

test('a declared host is what is listened on, whatever the application says', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port: { port, host: '127.0.0.1' } });
  assert.equal(await visit(port), String(first.pid));
  assert.ok(await isRefused(port, '::1'));
  await first.exit(1);
  await nextAnswers(rig, port);
});

test('connections wait also while no process lives', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  rig.write('go', '');
  const command = ['/bin/sh', '-c', 'while ! test -e go; do sleep 0.02; done; echo secret'];
  const first = await serve(rig, port, { port, secrets: { TOKEN: { command } } });
  rig.remove('go');
  await first.exit(1);
  await rig.untilInstance('api', ({ pid }) => pid === null);

  const visits = await Promise.all(Array.from({ length: 50 }, () => knock(port)));
  assert.equal((await rig.instance('api')).pid, null);
  rig.write('go', '');

  const second = await rig.enter('api', { after: 1 });
  await second.listen(port, null);
  for (const { answer } of visits) assert.equal(await answer, String(second.pid));
});

test('several sockets are held, each for itself', async () => {
  await using rig = await Rig.create();
  const [declared, other] = [await freePort(), await freePort()];
  const first = await serve(rig, declared, { port: declared });
  await first.listen(other, '127.0.0.1');
  await rig.until('the other port is learned', () => learned(rig).some(({ port }) => port === other));
  await first.exit(1);
  const visits = [await knock(declared), await knock(other)];
  const second = await rig.enter('api', { after: 1 });
  await second.listen(other, '127.0.0.1');
  await second.listen(declared, null);
  for (const { answer } of visits) assert.equal(await answer, String(second.pid));
});

test('two instances of an application whose port is nowhere declared share it from the first start on', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const env = { PORT: port };
  assertSucceeded(await rig.up({ api: { script: app('serves-http.cjs'), instances: 2, env } }));
  await rig.untilLogged('api', 'listening');
  await using load = new Load(port);
  await rig.until('both have answered', () => load.answers.size === 2);

  const { pid } = await rig.instance('api', 1);
  await rig.killProcess(pid!);
  const fresh = await rig.untilInstance(
    'api',
    ({ attempt, status }) => attempt === 2 && status === 'running',
    1,
  );
  await rig.until('the next one has answered', () => load.answers.has(`hello ${fresh.pid} 1.1`));

  assert.deepEqual(
    load.failures.filter((failure) => failure.includes('ECONNREFUSED')),
    [],
  );
  assert.equal((await rig.instance('api', 0)).attempt, 1);
});

/** Undeclared, or declared without the address that the program uses: what the first server opened is learned. */
for (const declared of [{}, { port: true }]) {
  const title = 'port' in declared ? 'declared without an address' : 'nowhere declared';
  test(`a wrapper restarts its server by itself, as nodemon does, on a port that is ${title}`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const server = rig.write(
      'server.cjs',
      `require('node:http').createServer((_, response) => response.end(String(process.pid))).listen(${port}, '127.0.0.1');`,
    );
    const script = rig.write(
      'wrapper.cjs',
      `
      const { spawn } = require('node:child_process');
      const start = () => spawn(process.execPath, [${JSON.stringify(server)}], { stdio: 'inherit' });
      let child = start();
      process.on('SIGUSR2', () => {
        child.once('exit', () => (child = start()));
        child.kill();
      });
      `,
    );
    await rig.up({ api: { script, ...('port' in declared ? { port } : { ports: [] }) } });
    const { pid: wrapper } = await rig.untilInstance('api', ({ status }) => status === 'running');
    for (let round = 0; round < 3; round++) {
      const before = await rig.until('a server answers', () => visit(port).catch(() => undefined));
      process.kill(wrapper!, 'SIGUSR2');
      await rig.until('the next one answers', async () => {
        const answer = await visit(port).catch(() => before);
        return answer !== before;
      });
    }
    assert.equal((await rig.instance('api')).pid, wrapper);
  });
}

test('a wrapper starts the next server before the old one is gone: it gets the port when it tries again', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const server = rig.write(
    'server.cjs',
    `
    const server = require('node:http').createServer((_, response) => response.end(String(process.pid)));
    const listen = () => server.listen(${port}, '127.0.0.1');
    server.on('error', () => {
      if (process.connected) process.disconnect(); // it has failed once: the old one may go
      setTimeout(listen, 20);
    });
    listen();
    `,
  );
  const script = rig.write(
    'wrapper.cjs',
    `
    const { fork } = require('node:child_process');
    let child = fork(${JSON.stringify(server)});
    process.on('SIGUSR2', () => {
      const old = child;
      child = fork(${JSON.stringify(server)}).on('disconnect', () => old.kill());
    });
    `,
  );
  await rig.up({ api: { script, ports: [] } });
  const { pid: wrapper } = await rig.untilInstance('api', ({ status }) => status === 'running');
  const before = await rig.until('a server answers', () => visit(port).catch(() => undefined));
  await rig.until('its port is known', () => learned(rig).length > 0);
  process.kill(wrapper!, 'SIGUSR2');
  await rig.until('the next one answers', async () => {
    const answer = await visit(port).catch(() => before);
    return answer !== before;
  });
});

test('a service in a crash loop refuses connections at once, and accepts them when it is back', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const restart = { delay: '20ms', limit: 3, retry: '1h' };
  const first = await serve(rig, port, { port, restart });
  await first.exit(1);
  for (const after of [1, 2]) await (await rig.enter('api', { after })).exit(1);
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  await rig.until('connections are refused', () => isRefused(port));

  const { id } = await rig.accept({ kind: 'restart', services: ['api'] });
  await (await rig.enter('api', { after: 3 })).listen(port, null);
  assertSucceeded(await rig.ended(id));
  const back = await rig.enter('api', { after: 3 });
  assert.equal(await visit(port), String(back.pid));
  await back.exit(1);
  await nextAnswers(rig, port, { after: 4 });
});

test('a service that came back from a crash loop is not refused later', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const restart = { delay: '20ms', limit: 2, retry: '1h' };
  const first = await serve(rig, port, { port, restart, sockets: { hold: '2s' } });
  await first.exit(1);
  const isHoldOver = after(2500);
  await (await rig.enter('api', { after: 1 })).exit(1);
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  const { id } = await rig.accept({ kind: 'restart', services: ['api'] });
  await (await rig.enter('api', { after: 2 })).listen(port, null);
  assertSucceeded(await rig.ended(id));

  await using load = new Load(port);
  await rig.until('the time that connections are held has passed', isHoldOver);
  assert.deepEqual(load.failures, []);
});

test('connections are refused when nothing has accepted them for the time that they are held', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port, sockets: { hold: '3s' } });
  await first.exit(1);
  const early = await knock(port);
  const second = await rig.enter('api', { after: 1 });
  await rig.until('connections are refused', () => isRefused(port));
  await assert.rejects(early.answer, { code: 'ECONNRESET' });

  await second.listen(port, null);
  assert.equal(await visit(port), String(second.pid));
  await second.exit(1);
  await nextAnswers(rig, port, { after: 2 });
});

test('a port that another program holds is named before the start, and free for the service after it', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const holder = { command: ['python3', '-m', 'http.server', String(port)], port, sockets: 'off' as const };
  assertSucceeded(await rig.up({ holder }));
  const { pid } = await rig.instance('holder');
  const config = {
    api: { script: app('serves-http.cjs'), port, env: { PORT: port }, restart: 'never' as const },
  };
  const { message } = failureOf(await rig.up(config));
  assert.match(message, new RegExp(`^Cannot start "api": port ${port} is in use by pid ${pid} \\(`));

  assertSucceeded(await rig.request({ kind: 'stop', services: ['holder'] }));
  assertSucceeded(await rig.request({ kind: 'start', services: ['api'] }));
  assert.equal(await visit(port), `hello ${(await rig.instance('api')).pid} 1.1`);
});

test('a launcher that was killed takes no connection along', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port });
  await killLauncher(rig);
  assert.equal(await visit(port), String(first.pid));
  await rig.until('there is another launcher', () => launcherOf(rig) !== undefined);
  await first.exit(1);
  await nextAnswers(rig, port);
});

test('a service whose launcher was killed can be scaled up', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await serve(rig, port, { port });
  await killLauncher(rig);
  const { id } = await rig.accept({ kind: 'scale', service: 'api', instances: 2 });
  const other = await rig.enter('api', { instance: 1 });
  await other.listen(port, null);
  assertSucceeded(await rig.ended(id));
  await rig.until('the other one answers', async () => (await visit(port)) === String(other.pid));
});

test('a program gets its sockets as systemd gives them', async () => {
  await using rig = await Rig.create();
  const [http, admin] = [await freePort(), await freePort()];
  const path = join(rig.folder, 'api.sock');
  const ports = [{ port: http, name: 'http' }, admin];
  const sockets = { inherit: 'systemd' as const, paths: [path] };
  assertSucceeded(await rig.up({ api: { script: app('takes-sockets.py'), ports, sockets } }));
  assert.match(await rig.log('api'), new RegExp(`^took 3 http:${admin}:${path}\n$`));
  assert.equal(await visit(http), String((await rig.instance('api')).pid));
  assert.ok(existsSync(path));
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.ok(!existsSync(path));
});

for (const kind of ['restart', 'reload'] as const) {
  test(`a program that takes its sockets as systemd gives them loses no request in a ${kind}`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const service = {
      script: app('takes-sockets.py'),
      port,
      sockets: 'systemd' as const,
      reload: { stable: 0 },
    };
    assertSucceeded(await rig.up({ api: service }));
    await using load = new Load(port);
    for (const attempt of [2, 3]) {
      assertSucceeded(await rig.request({ kind, services: ['api'] }));
      const { pid, attempt: current } = await rig.instance('api');
      assert.equal(current, attempt);
      await rig.until('it has answered', () => load.answers.has(String(pid)));
    }
    assert.deepEqual(load.failures, []);
  });
}

test('a program that takes its sockets and crashes leaves its connections to the next attempt', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const service = { script: app('takes-sockets.py'), port, sockets: 'systemd' as const };
  assertSucceeded(await rig.up({ api: service }));
  await rig.killProcess((await rig.instance('api')).pid!);
  const answer = await visit(port);
  const { pid } = await rig.untilInstance('api', ({ attempt }) => attempt === 2);
  assert.equal(answer, String(pid));
});

test('a program that never says READY=1 is not ready in time', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const env = { SILENT: '1' };
  const service = {
    script: app('takes-sockets.py'),
    port,
    env,
    sockets: 'systemd' as const,
    ready: { notify: true as const, timeout: '5s' },
  };
  assert.deepEqual(failureOf(await rig.up({ api: service })), {
    code: 'not-ready',
    message: 'Cannot start "api": not ready within 5s (no READY=1 came to NOTIFY_SOCKET)',
    hint: 'all of its output: upkeep logs api',
    lines: [`took 1 ${port}`],
  });
});

test('a service that runs as another user keeps its port', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('only root may become somebody else');
  await using rig = await Rig.create();
  const port = await freePort();
  const service = {
    command: ['node', app('serves-http.cjs')],
    cwd: '/',
    user: 'nobody',
    env: { PORT: port },
  };
  assertSucceeded(await rig.up({ api: { ...service, port, reload: { stable: 0 } } }));
  await rig.killProcess((await rig.instance('api')).pid!);
  const answer = await visit(port);
  const { pid } = await rig.untilInstance(
    'api',
    ({ attempt, status }) => attempt === 2 && status === 'running',
  );
  assert.equal(answer, `hello ${pid} 1.1`);

  await using load = new Load(port);
  assertSucceeded(await rig.request({ kind: 'reload', services: ['api'] }));
  assert.deepEqual(load.failures, []);
});

/** A connection that is opened now is answered by the next attempt, which is answered here. */
async function nextAnswers(
  rig: Rig,
  port: number,
  { host = null, to = '127.0.0.1', after = 1 }: { host?: string | null; to?: string; after?: number } = {},
): Promise<Puppet> {
  const { answer } = await knock(port, { host: to });
  const next = await rig.enter('api', { after });
  await next.listen(port, host);
  assert.equal(await answer, String(next.pid));
  return next;
}

/** Whether so many milliseconds have passed since this call. */
function after(ms: number): () => boolean {
  const at = performance.now() + ms;
  return () => performance.now() > at;
}

function launcherOf(rig: Rig): number | undefined {
  return rig.processes().find(({ pid }) => readCommand(pid)?.includes('upkeep-shim serve'))?.pid;
}

async function killLauncher(rig: Rig): Promise<void> {
  await rig.killProcess(launcherOf(rig)!);
}

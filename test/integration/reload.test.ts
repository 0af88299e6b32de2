/** A reload puts a new process beside the old one, judges it, and lets the old one go; who fails never took traffic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceConfig } from '../../src/config/index.js';
import {
  app,
  assertSucceeded,
  AT_ONCE,
  failureOf,
  freePort,
  knock,
  knockSlowly,
  learned,
  Load,
  RELOAD,
  Rig,
  roles,
  serve,
  until,
  visit,
  type Puppet,
} from '../rig/index.js';

test('the new process answers as soon as it is judged, and the old one finishes what it has begun', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  const slow = await knockSlowly(rig, port, old);

  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  assert.deepEqual(await roles(rig), ['new 2', 'serving 1']);
  assert.equal(await visit(port), String(old.pid));
  await fresh.listen(port, null);
  await rig.until('the new one serves', async () => (await roles(rig)).join() === 'old 1,serving 2');
  // Until it has heard that it is to drain, the old one may accept, too.
  await rig.until('the new one answers', async () => (await visit(port)) === String(fresh.pid));
  assert.ok(rig.lives(old.pid));
  await old.finish();

  assert.equal(await slow.answer, String(old.pid));
  assertSucceeded(await rig.ended(id));
  assert.deepEqual(await roles(rig), ['serving 2']);
  assert.ok(!rig.lives(old.pid));
});

for (const instances of [1, 2]) {
  for (const isDeclared of [true, false]) {
    const title = `${instances} instance${instances > 1 ? 's' : ''}, port ${isDeclared ? '' : 'not '}declared`;
    test(`reloads fail no request of a steady load (${title})`, async () => {
      await using rig = await Rig.create();
      const port = await freePort();
      await upServer(rig, port, { instances, ...(isDeclared ? { port } : {}) });
      await using load = new Load(port);
      for (const attempt of [2, 3, 4]) {
        assertSucceeded(await rig.request(RELOAD));
        const { instances: all, restarts } = await rig.service('api');
        assert.deepEqual(
          all.map((instance) => [instance.role, instance.status, instance.attempt]),
          Array.from({ length: instances }, () => ['serving', 'running', attempt]),
        );
        assert.equal(restarts, (attempt - 1) * instances);
        await answersOf(
          rig,
          load,
          all.map(({ pid }) => pid!),
        );
      }
      assert.deepEqual(load.failures, []);
    });
  }
}

test('reloads and crashes give every attempt a number of its own', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const first = await serve(rig, port, { port, reload: AT_ONCE });
  const failing = await rig.accept(RELOAD);
  await (await rig.enter('api', { after: 1 })).exit(1);
  failureOf(await rig.ended(failing.id));
  await first.exit(1);
  await (await rig.enter('api', { after: 2 })).listen(port, null);
  await rig.untilInstance('api', ({ status }) => status === 'running');
  const succeeding = await rig.accept(RELOAD);
  await (await rig.enter('api', { after: 3 })).listen(port, null);
  assertSucceeded(await rig.ended(succeeding.id));

  assert.deepEqual(await roles(rig), ['serving 4']);
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  const exits = (await rig.events('api')).flatMap((event) =>
    event.type === 'instance-exited' ? event.attempt : [],
  );
  assert.deepEqual(
    exits.toSorted((a, b) => a - b),
    [1, 2, 3, 4],
  );
});

interface BadCandidate {
  readonly title: string;
  readonly reload?: ServiceConfig['reload'];
  /** What the new process does. */
  readonly act: (puppet: Puppet, port: number) => Promise<unknown>;
  readonly code: string;
  /** After "the new instance failed: "; N is the port. */
  readonly reason: RegExp;
  readonly lines?: readonly string[];
}

const OTHER_PORT = 1;
const BAD: readonly BadCandidate[] = [
  {
    title: 'never listens',
    act: (puppet) => puppet.print('warming up'),
    code: 'not-ready',
    reason: /^not ready within 4s \(nothing listens on port N\)$/,
    lines: ['warming up'],
  },
  {
    title: 'listens on another port',
    act: (puppet, port) => puppet.listen(port + OTHER_PORT, null),
    code: 'not-ready',
    reason: /^not ready within 4s \(nothing listens on port N; it listens on \d+\)$/,
  },
  {
    title: 'exits at boot',
    act: async (puppet) => {
      await puppet.print('no database', 'err');
      await puppet.exit(3);
    },
    code: 'start-failed',
    reason: /^exit code 3\b.*$/,
    lines: ['no database'],
  },
  {
    title: 'is killed while it boots',
    act: (puppet) => puppet.crash('SIGSEGV'),
    code: 'start-failed',
    reason: /^(killed|ended) by SIGSEGV\b.*$/,
  },
  {
    title: 'exits with 0 before it is ready',
    act: (puppet) => puppet.exit(0),
    code: 'start-failed',
    reason: /^exit code 0\b.*$/,
  },
  {
    title: 'exits a moment after it was ready',
    reload: { stable: '15s' },
    act: async (puppet, port) => {
      await puppet.listen(port, null);
      await puppet.exit(4);
    },
    code: 'start-failed',
    reason: /^exit code 4\b.* after it was ready$/,
  },
  {
    title: 'throws a moment after it was ready',
    reload: { stable: '15s' },
    act: async (puppet, port) => {
      await puppet.listen(port, null);
      await puppet.throw();
    },
    code: 'start-failed',
    reason: /^exit code 1\b.* after it was ready$/,
  },
  {
    title: 'answers 500 to what verifies it',
    reload: { verify: { http: '/health', timeout: '1s' } },
    act: async (puppet, port) => {
      await puppet.serve(500);
      await puppet.listen(port, null);
    },
    code: 'not-verified',
    reason: /^it was not verified within 1s \(http:.*:N\/health answered 500\)$/,
  },
  {
    title: 'answers 500 to what verifies it, and then nothing in the time that is left',
    reload: { verify: { http: '/health', timeout: '1s' } },
    act: async (puppet, port) => {
      await puppet.serve(500);
      await puppet.listen(port, null);
      await until('it was asked', async () => (await puppet.hits()) > 0);
      await puppet.serve(0);
    },
    code: 'not-verified',
    reason: /^it was not verified within 1s \(http:.*:N\/health answered 500\)$/,
  },
  {
    title: 'does not answer what verifies it',
    reload: { verify: { http: '/health', timeout: '1s' } },
    act: async (puppet, port) => {
      await puppet.serve(0);
      await puppet.listen(port, null);
    },
    code: 'not-verified',
    reason: /^it was not verified within 1s \(http:.*:N\/health: no answer within \d+ ms\)$/,
  },
  {
    title: 'answers with another status than it should',
    reload: { verify: { http: '/health', status: 204, timeout: '1s' } },
    act: (puppet, port) => puppet.listen(port, null),
    code: 'not-verified',
    reason: /^it was not verified within 1s \(http:.*:N\/health answered 200\)$/,
  },
  {
    title: 'exits while it is verified',
    reload: { verify: { http: '/slow', timeout: '15s' } },
    act: async (puppet, port) => {
      await puppet.listen(port, null);
      await puppet.exit(5);
    },
    code: 'start-failed',
    reason: /^exit code 5\b.* after it was ready$/,
  },
  {
    title: 'does not satisfy the command that verifies it',
    reload: { verify: { command: ['/bin/sh', '-c', 'exit 7'], timeout: '500ms' } },
    act: (puppet, port) => puppet.listen(port, null),
    code: 'not-verified',
    reason: /^it was not verified within 500ms \(\/bin\/sh -c exit 7: .*\)$/,
  },
];

for (const { title, reload, act, code, reason, lines = [] } of BAD) {
  test(`a new process that ${title} never takes traffic, and the old one serves on`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const config = { port, ready: { port: true as const }, reload: { ...AT_ONCE, ...reload } };
    const old = await serve(rig, port, config);
    if (code === 'not-ready') await giveLess(rig, config, '4s');
    await using load = new Load(port);

    const { id } = await rig.accept(RELOAD);
    const candidate = await rig.enter('api', { after: 1 });
    await act(candidate, port);

    const failure = failureOf(await rig.ended(id));
    assert.equal(failure.code, code);
    const prefix = 'Cannot reload "api": the new instance failed: ';
    assert.ok(failure.message.startsWith(prefix), failure.message);
    assert.match(failure.message.slice(prefix.length).replaceAll(String(port), 'N'), reason);
    assert.deepEqual(
      lines.filter((line) => !failure.lines?.includes(line)),
      [],
    );
    assert.ok(!rig.lives(candidate.pid));
    const service = await rig.service('api');
    assert.deepEqual([service.status, service.failure?.message], ['running', failure.message]);
    assert.deepEqual(await roles(rig), ['serving 1']);
    assert.equal((await rig.instance('api')).pid, old.pid);
    await servesOn(rig, load, old.pid);
  });
}

test('a script with a syntax error, or a missing module, fails the reload with its last lines', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const good = `require('http').createServer((_, r) => r.end(String(process.pid))).listen(${port});`;
  const script = rig.write('server.cjs', good);
  assertSucceeded(await rig.up({ api: { script, port, reload: AT_ONCE } }));
  const { pid } = await rig.instance('api');
  await using load = new Load(port);
  for (const [text, word] of [
    ['const = 1;', 'SyntaxError'],
    ["require('no-such-module');", "Cannot find module 'no-such-module'"],
  ] as const) {
    rig.write('server.cjs', `${text}\n${good}`);
    const { message, lines } = failureOf(await rig.request(RELOAD));
    assert.match(message, /the new instance failed: exit code 1/);
    assert.match(lines!.join('\n'), new RegExp(word));
  }
  await servesOn(rig, load, pid!);
});

test('the list shows what failed until something succeeds', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await serve(rig, port, { port, reload: AT_ONCE });
  const bad = await rig.accept(RELOAD);
  await (await rig.enter('api', { after: 1 })).exit(1);
  await rig.ended(bad.id);
  assert.equal((await rig.service('api')).failure?.operation, bad.id);
  const { stdout } = await rig.cli('list');
  assert.match(stdout, /Cannot reload "api"|the new instance failed/);

  const good = await rig.accept(RELOAD);
  await (await rig.enter('api', { after: 2 })).listen(port, null);
  assertSucceeded(await rig.ended(good.id));
  assert.equal((await rig.service('api')).failure, undefined);
});

test('the command line says why a reload failed, and ends with 5', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await serve(rig, port, { port, reload: AT_ONCE });
  const reload = rig.follow('reload', 'api');
  const candidate = await rig.enter('api', { after: 1 });
  await candidate.print('no database', 'err');
  await candidate.exit(1);
  const { code, stderr } = await reload.ended;
  assert.equal(code, 5);
  assert.match(stderr, /^Cannot reload "api": the new instance failed: exit code 1/m);
  assert.match(stderr, /no database/);
  assert.match(stderr, /the old instance goes on serving/);
});

test('a change that makes the new process fail leaves the description as it was, also on disk', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { port, reload: AT_ONCE, env: { VERSION: '1' } };
  const old = await serve(rig, port, config);
  const services = [...(await rig.specs({ api: rig.puppet({ ...config, env: { VERSION: '2' } }) }))];
  const { id } = await rig.accept({ kind: 'up', services });
  const candidate = await rig.enter('api', { after: 1 });
  assert.equal((await candidate.env())['VERSION'], '2');
  await candidate.exit(1);

  const { message } = failureOf(await rig.ended(id));
  assert.match(message, /the new instance failed: exit code 1/);
  assert.equal(rig.state().services[0]!.spec.env['VERSION']!.value, '1');
  assert.equal(await visit(port), String(old.pid));
  await old.exit(1);
  assert.equal((await (await rig.enter('api', { after: 2 })).env())['VERSION'], '1');
});

test('a change that fails at the second instance is taken back at the first', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { port, instances: 2, reload: AT_ONCE };
  const versioned = (VERSION: string): ServiceConfig => rig.puppet({ ...config, env: { VERSION } });
  const first = await rig.accept({ kind: 'up', services: [...(await rig.specs({ api: versioned('1') }))] });
  for (const instance of [0, 1]) await (await rig.enter('api', { instance })).listen(port, null);
  assertSucceeded(await rig.ended(first.id));
  const second = await rig.enter('api', { instance: 1 });
  await using load = new Load(port);

  const { id } = await rig.accept({ kind: 'up', services: [...(await rig.specs({ api: versioned('2') }))] });
  await (await rig.enter('api', { after: 1 })).listen(port, null);
  await (await rig.enter('api', { instance: 1, after: 1 })).exit(1);
  await (await rig.enter('api', { after: 2 })).listen(port, null);
  failureOf(await rig.ended(id));

  for (const instance of [0, 1]) {
    const puppet = await rig.enter('api', { instance });
    assert.equal((await puppet.env())['VERSION'], '1');
  }
  assert.equal((await rig.instance('api', 1)).pid, second.pid);
  assert.equal((await rig.service('api')).status, 'running');
  assert.equal(rig.state().services[0]!.spec.env['VERSION']!.value, '1');
  assert.deepEqual(load.failures, []);
});

test('a reload of two instances replaces one after the other', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const up = await rig.accept({
    kind: 'up',
    services: [...(await rig.specs({ api: rig.puppet({ port, instances: 2, reload: AT_ONCE }) }))],
  });
  for (const instance of [0, 1]) await (await rig.enter('api', { instance })).listen(port, null);
  assertSucceeded(await rig.ended(up.id));
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  assert.deepEqual(await roles(rig), ['new 2', 'serving 1', 'serving 1']);
  const { steps } = await rig.client.call('operation', { params: { id } });
  assert.equal(steps[0]!.progress, 'instance 0: starting (0 of 2 replaced)');
  await fresh.listen(port, null);
  const other = await rig.enter('api', { instance: 1, after: 1 });
  assert.deepEqual(await roles(rig), ['new 2', 'serving 1', 'serving 2']);
  await other.listen(port, null);
  assertSucceeded(await rig.ended(id));
});

test('with maxSurge 2 both instances are replaced at the same time', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await upServer(rig, port, { port, instances: 2, reload: { ...AT_ONCE, maxSurge: 2 } });
  await using load = new Load(port);
  assertSucceeded(await rig.request(RELOAD));
  assert.deepEqual(await roles(rig), ['serving 2', 'serving 2']);
  assert.deepEqual(load.failures, []);
});

test('with maxUnavailable 1 an instance is missing while the other serves', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await upServer(rig, port, { port, instances: 2, reload: { ...AT_ONCE, maxUnavailable: 1 } });
  await using load = new Load(port);
  assertSucceeded(await rig.request(RELOAD));
  assert.deepEqual(await roles(rig), ['serving 2', 'serving 2']);
  assert.deepEqual(load.failures, []);
});

test('what verifies a new process reaches exactly that one, while it takes no traffic', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: { ...AT_ONCE, verify: { http: '/health' } } });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  await fresh.serve(500);
  await fresh.listen(port, null);
  await rig.until('it was asked', async () => (await fresh.hits()) > 0);
  const before = load.count;
  await rig.until('the load goes on', () => load.count > before + 50);
  assert.deepEqual([...load.answers.keys()], [String(old.pid)]);
  await fresh.serve(200);
  assertSucceeded(await rig.ended(id));
  await rig.until('the new one answers', () => load.answers.has(String(fresh.pid)));
  assert.deepEqual(load.failures, []);
});

test('a new process that does not listen is not taken for ready because the old one answers its check', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const config = { port, ready: { http: '/' }, reload: AT_ONCE };
  const old = await serve(rig, port, config);
  await giveLess(rig, config, '1s');
  const failure = failureOf(await rig.request(RELOAD));
  assert.equal(failure.code, 'not-ready');
  assert.match(
    failure.message,
    /not ready within 1s \(http:\/\/127\.0\.0\.1:\d+\/: the instance does not listen there\)/,
  );
  assert.equal(await visit(port), String(old.pid));
});

test('of a new process that listens elsewhere it is told where', async () => {
  await using rig = await Rig.create();
  const [port, elsewhere] = [await freePort(), await freePort()];
  const config = { port, ready: { http: '/' }, reload: AT_ONCE };
  await serve(rig, port, config);
  await giveLess(rig, config, '4s');
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  await fresh.serve(200);
  await fresh.listen(elsewhere, null);
  const { message } = failureOf(await rig.ended(id));
  assert.match(message, new RegExp(`the instance does not listen there; it listens on ${elsewhere}\\)$`));
});

test('what sockets say "off" of is stopped before its successor starts, and the notes say so', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const service = { script: app('serves-http.cjs'), port, sockets: 'off' as const, env: { PORT: port } };
  assertSucceeded(await rig.up({ api: { ...service, reload: AT_ONCE } }));
  const { pid } = await rig.instance('api');
  const operation = await rig.request(RELOAD);
  assertSucceeded(operation);
  assert.deepEqual(operation.steps[0]!.notes, [
    'api: it opens its ports by itself, so each instance was stopped before its successor started',
  ]);
  assert.ok(!rig.lives(pid!));
  assert.equal(await visit(port), `hello ${(await rig.instance('api')).pid} 1.1`);
});

test('a program that opens its own port is stopped before its successor starts, and the notes say so', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const service = { command: ['python3', '-m', 'http.server', String(port)], port, reload: AT_ONCE };
  assertSucceeded(await rig.up({ api: service }));
  const operation = await rig.request(RELOAD);
  assertSucceeded(operation);
  assert.match(
    operation.steps[0]!.notes!.join(),
    /^api: .*, so each instance was stopped before its successor started$/,
  );
  assert.match(await visit(port), /Directory listing/);
});

test('a program without ports is replaced by a reload side by side', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ reload: AT_ONCE }) }));
  const old = await rig.enter('api');
  const operation = await rig.request(RELOAD);
  assertSucceeded(operation);
  assert.equal(operation.steps[0]!.notes, undefined);
  await old.gone;
  assert.deepEqual(await roles(rig), ['serving 2']);
});

test('a new process that fails in the moment when it is ready is refused', async () => {
  await using rig = await Rig.create();
  const stays = { command: ['sleep', '1000'], reload: { stable: '20s' } };
  assertSucceeded(await rig.up({ api: stays }));
  const { pid } = await rig.instance('api');
  // The news that it runs and the news that it ended often come together.
  for (let turn = 0; turn < 10; turn++) {
    const services = [...(await rig.specs({ api: { ...stays, command: ['false'] } }))];
    const { message } = failureOf(await rig.request({ kind: 'up', services }));
    assert.match(message, /exit code 1/);
  }
  assert.equal((await rig.instance('api')).pid, pid);
});

test('a new process that has done its work while it is watched is not refused', async () => {
  await using rig = await Rig.create();
  const job = (seconds: string): ServiceConfig => {
    return { command: ['sleep', seconds], restart: 'on-failure', reload: { stable: '20s' } };
  };
  assertSucceeded(await rig.up({ api: job('1000') }));
  assertSucceeded(await rig.up({ api: job('0.05') }));
  assert.equal((await rig.instance('api')).status, 'completed');
});

test('a changed port is served by the new process before the old port is closed', async () => {
  await using rig = await Rig.create();
  const [from, to] = [await freePort(), await freePort()];
  const old = await serve(rig, from, { port: from, reload: AT_ONCE });
  const slow = await knockSlowly(rig, from, old);
  const services = [...(await rig.specs({ api: rig.puppet({ port: to, reload: AT_ONCE }) }))];
  const { id } = await rig.accept({ kind: 'up', services });
  const fresh = await rig.enter('api', { after: 1 });
  assert.equal(await visit(from), String(old.pid));
  await fresh.listen(to, null);
  await rig.until('the new one serves', async () => (await roles(rig)).includes('serving 2'));
  assert.equal(await visit(to), String(fresh.pid));
  await old.finish();
  assert.equal(await slow.answer, String(old.pid));
  assertSucceeded(await rig.ended(id));
  await assert.rejects(knock(from), { code: 'ECONNREFUSED' });
  await fresh.exit(1);
  const { answer } = await knock(to);
  const next = await rig.enter('api', { after: 2 });
  await next.listen(to, null);
  assert.equal(await answer, String(next.pid));
});

test('a port that changes without having been declared does not fail the reload', async () => {
  await using rig = await Rig.create();
  const [from, to] = [await freePort(), await freePort()];
  const script = app('serves-http.cjs');
  assertSucceeded(
    await rig.up({
      api: { script, env: { PORT: from }, reload: AT_ONCE, ready: { log: 'listening' } },
    }),
  );
  await rig.until('the port is learned', () => learned(rig).length === 1);
  const config = { script, env: { PORT: to }, reload: AT_ONCE, ready: { log: 'listening' } };
  assertSucceeded(await rig.up({ api: config }));
  assert.match(await visit(to), /^hello/);
});

test('an application on any free port can be reloaded', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ reload: AT_ONCE }) }));
  const first = await rig.enter('api');
  await visit(await first.listen(0, null));
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  const port = await fresh.listen(0, null);
  assertSucceeded(await rig.ended(id));
  assert.equal(await visit(port), String(fresh.pid));
  assert.ok(!rig.lives(first.pid));
});

test('a reload that was given up leaves the old process as it was', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const candidate = await rig.enter('api', { after: 1 });

  const { code, stdout } = await rig.cli('abort', id);
  assert.equal(code, 0, stdout);
  assert.equal(failureOf(await rig.ended(id)).code, 'aborted');
  assert.ok(!rig.lives(candidate.pid));
  assert.deepEqual(await roles(rig), ['serving 1']);
  const { failure, status } = await rig.service('api');
  assert.deepEqual([failure, status], [undefined, 'running']);
  await servesOn(rig, load, old.pid);
});

test('a reload can be given up while the new process is verified, and while it is watched', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const verify = { http: '/health', timeout: '1m' };
  const old = await serve(rig, port, { port, reload: { stable: '1m', verify } });
  await using load = new Load(port);
  for (const [index, phase] of ['verifying', 'watching for 1m'].entries()) {
    const { id } = await rig.accept(RELOAD);
    const candidate = await rig.enter('api', { after: index + 1 });
    if (phase === 'verifying') await candidate.serve(500);
    await candidate.listen(port, null);
    await rig.until(`it says "${phase}"`, async () => (await progressOf(rig, id)) === phase);
    await rig.client.call('abort', { params: { id } });
    assert.equal(failureOf(await rig.ended(id)).code, 'aborted');
    assert.ok(!rig.lives(candidate.pid));
  }
  await servesOn(rig, load, old.pid);
});

test('a reload that is given up while the old process drains leaves exactly one, with no request failed', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  const slow = await knockSlowly(rig, port, old);
  await using load = new Load(port);
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 1 });
  await fresh.listen(port, null);
  await rig.until('the old one drains', async () => (await progressOf(rig, id)) === 'draining the old one');
  await rig.client.call('abort', { params: { id } });
  await old.finish();
  assert.equal(await slow.answer, String(old.pid));
  await rig.ended(id);
  assert.deepEqual(await roles(rig), ['serving 2']);
  assert.deepEqual(load.failures, []);
});

test('an operation that has ended cannot be given up', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ reload: AT_ONCE }) }));
  const { id } = await rig.request(RELOAD);
  const { code, stderr } = await rig.cli('abort', id);
  assert.notEqual(code, 0);
  assert.match(
    stderr,
    new RegExp(`^Cannot abort operation ${id} \\(reload\\): it has succeeded already$`, 'm'),
  );
  const unknown = await rig.cli('abort', '4711');
  assert.notEqual(unknown.code, 0);
});

test('a stop in the middle of a reload ends both processes', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  const { id } = await rig.accept(RELOAD);
  const candidate = await rig.enter('api', { after: 1 });
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assert.equal(failureOf(await rig.ended(id)).code, 'superseded');
  for (const { pid } of [old, candidate]) assert.ok(!rig.lives(pid));
  await assert.rejects(knock(port), { code: 'ECONNREFUSED' });
});

test('the old process may crash during a reload: its connections wait for whoever comes', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const old = await serve(rig, port, { port, reload: AT_ONCE });
  const { id } = await rig.accept(RELOAD);
  const candidate = await rig.enter('api', { after: 1 });
  await old.exit(1);
  const { answer } = await knock(port);
  const again = await rig.enter('api', { after: 2 });
  await candidate.listen(port, null);
  await answer;
  assertSucceeded(await rig.ended(id));
  assert.deepEqual(await roles(rig), ['serving 2']);
  assert.ok(!rig.lives(again.pid));
  assert.equal(await visit(port), String(candidate.pid));
});

test('a service that is stopped is started by a reload', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  await upServer(rig, port, { port });
  assertSucceeded(await rig.request({ kind: 'stop', services: ['api'] }));
  assertSucceeded(await rig.request(RELOAD));
  assert.match(await visit(port), /^hello/);
});

test('a service in a crash loop is mended by a reload', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const restart = { delay: '20ms', limit: 2, retry: '1h' };
  const first = await serve(rig, port, { port, restart, reload: AT_ONCE });
  await first.exit(1);
  await (await rig.enter('api', { after: 1 })).exit(1);
  await rig.untilInstance('api', ({ status }) => status === 'crashed');
  const { id } = await rig.accept(RELOAD);
  const fresh = await rig.enter('api', { after: 2 });
  await fresh.listen(port, null);
  assertSucceeded(await rig.ended(id));
  assert.equal(await visit(port), String(fresh.pid));
  assert.equal((await rig.service('api')).status, 'running');
});

/** From now on a new process has only so long to become ready. */
async function giveLess(
  rig: Rig,
  config: ServiceConfig & { readonly ready: object },
  timeout: string,
): Promise<void> {
  const ready: object = { ...config.ready, timeout };
  assertSucceeded(await rig.up({ api: rig.puppet({ ...config, ready }) }));
}

async function upServer(rig: Rig, port: number, config: ServiceConfig): Promise<void> {
  const service = { script: app('serves-http.cjs'), env: { PORT: port }, reload: AT_ONCE, ...config };
  assertSucceeded(await rig.up({ api: service }));
  if (config.port === undefined) await rig.until('the port is learned', () => learned(rig).length === 1);
}

async function progressOf(rig: Rig, id: string): Promise<string | undefined> {
  return (await rig.client.call('operation', { params: { id } })).steps[0]!.progress;
}

async function answersOf(rig: Rig, load: Load, pids: readonly number[]): Promise<void> {
  await rig.until(`${pids.join()} have answered`, () =>
    pids.every((pid) => load.answers.has(`hello ${pid} 1.1`)),
  );
}

/** Nobody else has answered, no request has failed, and it goes on. */
async function servesOn(rig: Rig, load: Load, pid: number): Promise<void> {
  const before = load.count;
  await rig.until('the load goes on', () => load.count > before + 5);
  assert.deepEqual([...load.answers.keys()], [String(pid)]);
  assert.deepEqual(load.failures, []);
}

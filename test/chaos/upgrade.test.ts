/** Another version takes over from the daemon, or fails to: no application notices either. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { DaemonView, UpkeepEvent } from '../../src/protocol/index.js';
import { holdsSocket, listeningSockets, readCommand } from '../../src/system/index.js';
import { assertSucceeded, freePort, Installation, knock, Load, Rig, serve, visit } from '../rig/index.js';

test('another version takes over: services, ports and the guardian stay', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const puppet = await serve(rig, port, { port });
  const before = await rig.client.call('daemon');
  const launcher = launcherOf(rig);
  const next = new Installation(rig, 'next', { version: '9.9.9' });
  const load = new Load(port);

  const { code, stdout } = await rig.cli('daemon', 'upgrade', '--to', next.root);

  const after = await rig.client.call('daemon');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^The daemon 9\\.9\\.9 with pid ${after.pid} has taken over from `));
  assert.deepEqual([after.version, after.guardian], ['9.9.9', before.guardian]);
  await rig.until('the old one is gone', () => !rig.lives(before.pid));
  assert.equal((await rig.instance('api')).pid, puppet.pid);
  assert.equal(launcherOf(rig), launcher);
  assert.ok(holdsSocket(launcher!, listeningSockets(port)));
  await load[Symbol.asyncDispose]();
  assert.deepEqual(load.failures, []);
  // The new version knows what the launcher holds.
  await puppet.exit(1);
  const { answer } = await knock(port);
  const successor = await rig.enter('api', { after: 1 });
  await successor.listen(port, null);
  assert.equal(await answer, String(successor.pid));
});

test('the guardian brings the version back that has taken over, and knows how it ended', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const next = new Installation(rig, 'next', { version: '9.9.9' });
  assert.equal((await next.cli('daemon', 'upgrade')).code, 0);
  const { guardian } = await rig.client.call('daemon');
  await rig.until('the guardian is of that version', () => readCommand(guardian!)?.startsWith(next.root));

  await rig.crashDaemon();

  const after = await rig.untilAnswering();
  assert.deepEqual([after.version, after.guardian], ['9.9.9', guardian]);
  assert.deepEqual(warnings(await rig.events()), [
    'the daemon was started again by its guardian: it was killed by SIGKILL',
  ]);
});

test('an upgrade can be undone by another one', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const { pid } = await rig.instance('api');
  const next = new Installation(rig, 'next', { version: '9.9.9' });
  assert.equal((await next.cli('daemon', 'upgrade')).code, 0);
  const { version } = await rig.client.call('daemon');
  assert.equal((await rig.cli('daemon', 'upgrade')).code, 0);
  assert.notEqual((await rig.client.call('daemon')).version, version);
  assert.equal((await rig.instance('api')).pid, pid);
});

test('an operation that was under way is finished by the next version', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet({ stop: { grace: '20s' } }) }));
  const puppet = await rig.enter('api');
  await puppet.ignore('SIGTERM');
  const stop = rig.follow('stop', 'api');
  await rig.untilInstance('api', ({ status }) => status === 'stopping');

  assert.equal((await rig.cli('daemon', 'upgrade')).code, 0);
  await rig.untilInstance('api', ({ status }) => status === 'stopping');
  await puppet.crash('SIGKILL');

  const { code, stderr } = await stop.ended;
  assert.equal(code, 0, stderr);
});

test('upgrades in the middle of restarts and reloads start nothing twice, and leave nothing undone', async () => {
  await using rig = await Rig.create();
  const services = { api: rig.puppet({ instances: 2 }), web: rig.puppet(), job: rig.puppet() };
  assertSucceeded(await rig.up(services));
  for (const kind of ['restart', 'reload', 'restart'] as const) {
    const { id } = await rig.accept({ kind, services: 'all' });
    const upgraded = await rig.cli('daemon', 'upgrade');
    assert.equal(upgraded.code, 0, upgraded.stderr);
    assertSucceeded(await rig.ended(id));
    const views = await rig.client.call('services');
    const pids = views.flatMap(({ instances }) => instances.map(({ pid }) => pid));
    const puppets = rig.processes().filter(({ pid }) => readCommand(pid)?.endsWith('puppet.js'));
    const applications = puppets.filter(({ name }) => name !== 'upkeep-shim').map(({ pid }) => pid);
    assert.deepEqual([new Set(applications), applications.length], [new Set(pids), 4]);
  }
});

const BAD_VERSIONS = [
  {
    title: 'crashes at its start',
    before: /^/,
    after: 'throw new Error("no luck");',
    message: /the new version did not become ready: it exited with code 1; its last words were:[^]*no luck/,
  },
  {
    title: 'hangs at its start',
    before: /^/,
    after: 'setInterval(() => {}, 1e6); await new Promise(() => {});',
    message: /the new version did not become ready within 2s/,
    timeout: '2s',
  },
  {
    title: 'cannot read the state',
    before: 'STATE_FORMAT = 1',
    after: 'STATE_FORMAT = 0',
    message: /did not become ready: it exited with code 70;[^]*format 1, this version knows 0/,
  },
  {
    title: 'crashes when it takes over',
    before: 'await this.#supervisor.boot()',
    after: 'throw new Error("no luck")',
    message: /the new version did not take over: it exited with code 70; its last words were:[^]*no luck/,
  },
  {
    title: 'is killed after it has taken everything',
    before: 'await this.#api.listen',
    after: 'process.kill(process.pid, "SIGKILL"); await this.#api.listen',
    message: /the new version did not take over: it was ended by SIGKILL/,
  },
  {
    title: 'hangs after it has taken everything',
    before: /\w+\.say\(\{ confirmed/,
    after: 'setInterval(() => {}, 1e6); await new Promise(() => {}); $&',
    message: /the new version did not take over within 5s/,
    timeout: '5s',
  },
];

for (const { title, before, after, message, timeout = '20s' } of BAD_VERSIONS) {
  test(`a version that ${title} leaves everything to the one before`, async () => {
    await using rig = await Rig.create();
    const port = await freePort();
    const puppet = await serve(rig, port, { port });
    const { pid, guardian } = await rig.client.call('daemon');
    const bad = new Installation(rig, 'bad', { version: '9.9.9' });
    bad.rewrite(before, after);
    await using load = new Load(port);

    const { code, stderr } = await rig.cli('daemon', 'upgrade', '--to', bad.root, '--timeout', timeout);

    assert.equal(code, 5);
    assert.match(stderr, message);
    const daemon = await rig.client.call('daemon');
    assert.deepEqual([daemon.pid, daemon.guardian], [pid, guardian]);
    assert.equal((await rig.instance('api')).pid, puppet.pid);
    assertSucceeded(await rig.request({ kind: 'scale', service: 'api', instances: 1 }));
    assert.equal(await visit(port), String(puppet.pid));
    assert.deepEqual(load.failures, []);
    assert.equal(daemonsOf(rig).length, 1);
    // The guardian still knows whose it is.
    await rig.crashDaemon();
    assert.equal((await rig.untilAnswering()).guardian, guardian);
  });
}

const SLOW = {
  before: 'await this.#supervisor.boot()',
  after: 'console.log("taking over"); await new Promise((r) => setTimeout(r, 1500)); $&',
};
const HANGING = { before: /^/, after: 'setInterval(() => {}, 1e6); await new Promise(() => {});' };

test('a daemon that is killed when it has handed over leaves everything to the next version', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ api: rig.puppet() }));
  const { pid } = await rig.instance('api');
  const before = await rig.client.call('daemon');
  const next = new Installation(rig, 'next', { version: '9.9.9' });
  next.rewrite(SLOW.before, SLOW.after);
  const upgrade = next.cli('daemon', 'upgrade');
  await rig.until('it has handed over', () => readFileSync(rig.home.log, 'utf8').includes('taking over'));

  await rig.killProcess(before.pid);

  assert.equal((await upgrade).code, 6);
  const after = await rig.untilAnswering();
  assert.deepEqual([after.version, after.guardian], ['9.9.9', before.guardian]);
  assert.equal((await rig.instance('api')).pid, pid);
});

test('a version that hangs is no obstacle when the daemon is killed meanwhile', async () => {
  await using rig = await Rig.create();
  const before = await rig.client.call('daemon');
  const bad = new Installation(rig, 'bad', { version: '9.9.9' });
  bad.rewrite(HANGING.before, HANGING.after);
  const upgrade = bad.cli('daemon', 'upgrade');
  await rig.until('it hangs', () => daemonsOf(rig).length === 2);

  await rig.killProcess(before.pid);

  assert.equal((await upgrade).code, 6);
  const after = await rig.until('the daemon is back', () => isAnswering(rig), 40_000);
  assert.deepEqual([after.version, after.guardian], [before.version, before.guardian]);
  assert.deepEqual(daemonsOf(rig), [after.pid]);
});

for (const { title, rewrite, timeout, code } of [
  { title: 'a successful', rewrite: SLOW, timeout: '20s', code: 0 },
  { title: 'a failing', rewrite: HANGING, timeout: '4s', code: 5 },
]) {
  test(`a guardian that is killed during ${title} upgrade is replaced by whoever goes on`, async () => {
    await using rig = await Rig.create();
    const before = await rig.client.call('daemon');
    const next = new Installation(rig, 'next', { version: '9.9.9' });
    next.rewrite(rewrite.before, rewrite.after);
    const upgrade = next.cli('daemon', 'upgrade', '--timeout', timeout);
    await rig.until('it has begun', () => daemonsOf(rig).length === 2);

    await rig.killProcess(before.guardian!);

    assert.equal((await upgrade).code, code);
    const { guardian, version } = await rig.until('there is another guardian', async () => {
      const daemon = await rig.client.call('daemon');
      return daemon.guardian !== before.guardian && daemon;
    });
    await rig.crashDaemon();
    const after = await rig.untilAnswering();
    assert.deepEqual([after.guardian, after.version], [guardian, version]);
  });
}

test('what is no installation of upkeep is refused', async () => {
  await using rig = await Rig.create();
  const { code, stderr } = await rig.cli('daemon', 'upgrade', '--to', rig.folder);
  assert.equal(code, 5);
  assert.match(stderr, /^Cannot upgrade the daemon to .*: ".*dist\/daemon\.js" does not exist\n/);
});

function isAnswering(rig: Rig): Promise<DaemonView | undefined> {
  return rig.client.call('daemon').catch(() => undefined);
}

function launcherOf(rig: Rig): number | undefined {
  return rig.processes().find(({ pid }) => readCommand(pid)?.includes('upkeep-shim serve'))?.pid;
}

function daemonsOf(rig: Rig): number[] {
  const isDaemon = (pid: number): boolean => readCommand(pid)?.startsWith(process.execPath) === true;
  const daemons = rig.processes().filter(({ pid }) => isDaemon(pid));
  return daemons.map(({ pid }) => pid).filter((pid) => readCommand(pid)!.endsWith('daemon.js'));
}

function warnings(events: readonly UpkeepEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
}

/** Questions to the logs of services that really run: the built CLI, the daemon, its child, the shims. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEntry } from '../../src/protocol/index.js';
import { readCommand } from '../../src/system/index.js';
import { Rig, type Program } from '../rig/index.js';

/** How exact times are. */
const INDEX_MS = 55;

test('what services and instances wrote comes in the order of time', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ instances: 2 }), web: rig.puppet() });
  const puppets = [await rig.enter('api'), await rig.enter('web'), await rig.enter('api', { instance: 1 })];
  for (let round = 0; round < 9; round++) {
    await puppets[round % 3]!.print(`line ${round}`);
    await rig.untilLogged(round % 3 === 1 ? 'web' : 'api', `line ${round}`);
    const printedAt = Date.now();
    await rig.until('the index tells what comes next from it', () => Date.now() > printedAt + INDEX_MS);
  }
  const entries = await ask(rig);
  assert.deepEqual(
    entries.map(({ service, instance, lines }) => [service, instance, lines[0]]),
    Array.from({ length: 9 }, (_, round) => [
      round % 3 === 1 ? 'web' : 'api',
      round % 3 === 2 ? 1 : 0,
      `line ${round}`,
    ]),
  );
  const times = entries.map(({ at }) => Date.parse(at!));
  assert.deepEqual(
    times,
    times.toSorted((one, other) => one - other),
  );
});

test('an exit is asked for by its attempt', async () => {
  await using rig = await Rig.create();
  const command = ['/bin/sh', '-c', 'echo "attempt $UPKEEP_ATTEMPT"; sleep 0.3; exit 3'];
  await rig.up({
    job: { command, restart: { policy: 'always', delay: '50ms', maxDelay: '50ms' } },
  });
  await rig.until('three have ended', async () => (await exits(rig)).length >= 3);
  const shown = await ask(rig, 'job', '--around', 'exit:2', '--context', '1');
  assert.ok(shown.some(({ attempt, lines }) => attempt === 2 && lines[0] === 'attempt 2'));
  const { code, stderr } = await rig.cli('logs', 'job', '--around', 'exit:999');
  assert.deepEqual(
    [code, stderr.split('\n')[0]],
    [4, 'Cannot show the logs of "job" around the exit of attempt 999: no such exit is known'],
  );
});

test('a service that comes later is followed, and the child ends with its client', async () => {
  await using rig = await Rig.create();
  const logs = rig.follow('logs', '-f', '--json');
  await rig.until('the daemon has a child for it', () => children(rig).length === 1);
  await rig.up({ late: rig.puppet() });
  const puppet = await rig.enter('late');
  await puppet.print('here I am');
  await untilLine(rig, logs, 'here I am');
  logs.process.kill('SIGINT');
  assert.equal((await logs.ended).code, 130);
  await rig.until('it is gone', () => children(rig).length === 0);
});

test('the child ends with the daemon, and its end in the middle is an error', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const first = rig.follow('logs', '-f');
  const [pid] = await rig.until('the daemon has a child for it', () => some(children(rig)));
  process.kill(pid!, 'SIGKILL');
  const { code, stderr } = await first.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^Cannot read the logs to their end: it ended with SIGKILL\n {2}hint: /);
  const second = rig.follow('logs', '-f');
  await rig.until('there is another one', () => some(children(rig)));
  await rig.killDaemon();
  await rig.until('it is gone', () => children(rig).length === 0);
  await second.ended;
  await rig.startDaemon();
});

test('a regular expression without end keeps nobody waiting', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  await puppet.print('a'.repeat(60));
  await rig.untilLogged('api', 'aaa');
  const search = rig.follow('logs', '--grep', '^(a+)+$x|^(a|a)*b');
  await rig.until('it searches', () => some(children(rig)));
  assert.equal((await rig.cli('list')).code, 0);
  search.process.kill('SIGINT');
  await rig.until('it is gone', () => children(rig).length === 0);
});

test('questions that cannot be understood are explained', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet(), web: rig.puppet() });
  const said = async (...args: string[]): Promise<string> =>
    (await rig.cli('logs', ...args)).stderr.split('\n')[0]!;
  assert.equal(
    await said('--grep', 'a(b'),
    'Cannot show logs: "a(b" is no regular expression: unterminated group at character 2',
  );
  assert.equal(await said('--since', 'noon'), 'Cannot show logs: since "noon" is no time');
  assert.equal(await said('--level', 'wran'), 'Cannot show logs: there is no level "wran"');
  assert.equal(
    await said('--around', 'exit'),
    'Cannot show logs: around an exit only one service can be shown',
  );
  assert.equal(
    await said('api', '--around', 'exit'),
    'Cannot show the logs of "api" around its exit: no attempt of it has ended',
  );
  assert.equal(await said('--context', '5s'), 'Cannot show logs: "context" needs "around"');
  assert.match(await said('--since', '1h', '--until', '2h'), /"since" \(.*\) is not before "until"/);
});

async function ask(rig: Rig, ...args: string[]): Promise<LogEntry[]> {
  const { stdout } = await rig.cli('logs', ...args, '--json');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogEntry);
}

async function exits(rig: Rig) {
  return (await rig.events('job')).filter(({ type }) => type === 'instance-exited');
}

/** Of the daemon, for questions. */
function children(rig: Rig): number[] {
  return rig
    .processes()
    .map(({ pid }) => pid)
    .filter((pid) => readCommand(pid)?.includes('log-query.js'));
}

function some<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length > 0 ? values : undefined;
}

function untilLine(rig: Rig, program: Program, text: string): Promise<boolean> {
  return rig.until(`a line has "${text}"`, () => program.lines.some((line) => line.includes(text)));
}

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogEntry, UpkeepEvent } from '../../src/protocol/index.js';
import { Rig, type Program } from '../rig/index.js';

test('"logs -n" prints the last lines, "--err" only those of stderr', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  for (const number of [1, 2, 3]) await puppet.print(`out ${number}`);
  await puppet.print('err 1', 'err');
  await rig.untilLogged('api', 'out 3');
  await rig.untilLogged('api', 'err 1', 'err');

  const shown = (await rig.cli('logs', 'api', '-n', '2', '--out')).stdout;
  assert.match(shown, /^\d\d:\d\d:\d\d\.\d{3} api\.0 \| out 2\n\S+ api\.0 \| out 3\n$/);
  assert.match((await rig.cli('logs', 'api', '--err')).stdout, /^\S+ api\.0 err \| err 1\n$/);
  assert.equal((await rig.cli('logs', '--raw', '-n', '2')).stdout, 'out 3\nerr 1\n');
});

test('"logs -f" prints what was written before and what comes, of every instance, until ctrl-C', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ instances: 2 }) });
  const [first, second] = [await rig.enter('api'), await rig.enter('api', { instance: 1 })];
  await first.print('before');
  await rig.untilLogged('api', 'before');

  const logs = rig.follow('logs', 'api', '-f', '--json');
  await untilLine(rig, logs, 'before');
  await second.print('after');
  await untilLine(rig, logs, 'after');
  logs.process.kill('SIGINT');

  assert.equal((await logs.ended).code, 130);
  const entries = logs.lines.map((line) => JSON.parse(line) as LogEntry);
  assert.deepEqual(
    entries.map(({ instance, lines }) => [instance, lines]),
    [
      [0, ['before']],
      [1, ['after']],
    ],
  );
});

test('an unfinished line is not shown before it is finished, or its writer has ended', async () => {
  await using rig = await Rig.create();
  const command = ['/bin/sh', '-c', 'printf "no line end"'];
  await rig.up({ job: { command, restart: 'never' } });
  await rig.untilLogged('job', 'no line end\n');
});

test('what cannot be written to the log is counted and said, and the application goes on', async () => {
  await using rig = await Rig.create();
  const log = join(rig.home.path, 'logs', 'api', 'out.log');
  mkdirSync(log, { recursive: true });
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  await puppet.print('lost');
  await rig.until('it is counted', async () => (await lost(rig)) > 0);
  assert.match((await rig.cli('show', 'api')).stdout, /lost +1 lines \(5 B\) that could not be written/);
  const message = `instance 0: 1 line (5 bytes) of stdout could not be written to ${log}: EISDIR (illegal operation on a directory)`;
  const warnings = (await rig.events('api')).filter(({ type }) => type === 'warning');
  assert.deepEqual(
    warnings.map((event) => event.type === 'warning' && event.message),
    [message],
  );
  rmSync(log, { recursive: true });
  await puppet.print('and found');
  await rig.untilLogged('api', 'and found\n');
});

test('"events --follow" prints what happens as it happens', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  const events = rig.follow('events', '--follow', '--json', '--service', 'api', '-n', '1');
  await untilLine(rig, events, 'operation');

  await puppet.exit(3);
  await rig.enter('api', { after: 1 });
  await untilLine(rig, events, '"attempt":2');
  events.process.kill('SIGINT');
  await events.ended;

  const types = events.lines.map((line) => JSON.parse(line) as UpkeepEvent);
  const exited = types.find((event) => event.type === 'instance-exited');
  assert.equal(exited?.exit.code, 3);
  const numbers = types.map(({ seq }) => seq);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

test('a service that does not exist is refused with the one that was meant', async () => {
  await using rig = await Rig.create();
  await rig.up({ billing: rig.puppet() });
  for (const command of ['restart', 'stop', 'show', 'logs', 'env', 'delete']) {
    const { code, stderr, stdout } = await rig.cli(command, 'biling');
    assert.deepEqual([code, stdout], [4, ''], command);
    assert.match(
      stderr,
      /^Cannot [a-z ]+ "biling": there is no such service\n {2}hint: did you mean "billing"\?\n$/,
    );
  }
  assert.match((await rig.cli('stop', 'xyz')).stderr, /hint: see what there is: upkeep list/);
});

test('"list" and "show" tell what runs', async () => {
  await using rig = await Rig.create();
  await rig.up({
    api: rig.puppet({ instances: 2 }),
    job: { command: ['/bin/sh', '-c', 'exit 3'], restart: 'never' },
  });
  await rig.untilInstance('job', ({ status }) => status === 'completed');
  const { pid } = await rig.instance('api');

  const list = (await rig.cli('list')).stdout;
  assert.match(list, /api.*running/);
  assert.match(list, /job.*completed.*exit code 3/);
  const show = (await rig.cli('show', 'job')).stdout;
  assert.match(show, /(?:why|status) +exit code 3/);
  assert.match((await rig.cli('show', 'api')).stdout, new RegExp(`${pid}`));
});

function untilLine(rig: Rig, program: Program, text: string): Promise<boolean> {
  return rig.until(`a line has "${text}"`, () => program.lines.some((line) => line.includes(text)));
}

async function lost(rig: Rig): Promise<number> {
  return (await rig.client.call('service', { params: { name: 'api' } })).logs.lostLines;
}

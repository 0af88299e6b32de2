import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProcess } from '../../src/system/index.js';
import { Rig } from '../rig/index.js';

test('exit codes are reported as they were, also those that look like signals', async () => {
  await using rig = await Rig.create();
  const codes = [0, 1, 130, 137, 143, 255];
  const names = codes.map((code) => `code-${code}`);
  await rig.up(Object.fromEntries(names.map((name) => [name, rig.puppet({ restart: 'never' })])));
  for (const [index, name] of names.entries()) {
    await (await rig.enter(name)).exit(codes[index]!);
    const { exit } = await rig.untilInstance(name, ({ status }) => status === 'completed');
    assert.deepEqual(
      [exit!.kind, exit!.code, exit!.signal, exit!.askedBy],
      ['exited', codes[index], null, null],
    );
    assert.equal(exit!.reason, `exit code ${codes[index]}`);
  }
});

test('signals that upkeep did not send are reported as such', async () => {
  await using rig = await Rig.create();
  const signals = ['SIGINT', 'SIGKILL', 'SIGSEGV', 'SIGTERM'] as const;
  await rig.up(Object.fromEntries(signals.map((name) => [name, rig.puppet({ restart: 'never' })])));
  for (const signal of signals) {
    await (await rig.enter(signal)).crash(signal);
    const { exit } = await rig.untilInstance(signal, ({ status }) => status === 'completed');
    assert.deepEqual([exit!.kind, exit!.code, exit!.signal], ['signalled', null, signal]);
    assert.equal(exit!.reason, `ended by ${signal}, not sent by upkeep`);
  }
});

test('the last lines and the age of an attempt are part of its exit', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet({ restart: 'never' }) });
  const puppet = await rig.enter('api');
  await puppet.print('all is well');
  await puppet.print('out of luck', 'err');
  await puppet.exit(1);
  const { exit } = await rig.untilInstance('api', ({ status }) => status === 'completed');
  assert.deepEqual(exit!.lastLines, ['all is well', 'out of luck']);
  assert.ok(exit!.livedMs > 0);
});

test('after the shim was killed the exit is unknown, its tree is ended, and the service restarted', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: rig.puppet() });
  const puppet = await rig.enter('api');
  const child = await puppet.fork({ isDaemon: true, ignoresTerm: true });

  await rig.killProcess(readProcess(puppet.pid)!.parent);

  const next = await rig.enter('api', { after: 1 });
  assert.equal(next.identity.attempt, 2);
  const [exit] = (await rig.events('api')).flatMap((event) =>
    event.type === 'instance-exited' ? [event.exit] : [],
  );
  assert.equal(exit!.kind, 'unknown');
  assert.match(exit!.reason, /its shim was killed/);
  assert.deepEqual([rig.lives(puppet.pid), rig.lives(child)], [false, false]);
});

/** What a Node application printed is in the log, however it ends; and it cannot tell. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { app, Rig } from '../rig/index.js';
import { PRELOAD } from '../rig/preload-host.js';

const LINES = 20_000;

for (const [end, reason] of [
  ['exit', 'exit code 3'],
  ['SIGKILL', 'ended by SIGKILL, not sent by upkeep'],
] as const)
  test(`whatever was printed before ${end} is in the log`, async () => {
    await using rig = await Rig.create();
    await rig.up({ talker: talker(end) });
    const { exit } = await rig.untilInstance('talker', ({ status }) => status === 'completed');
    assert.equal(exit!.reason, reason);
    assert.deepEqual(numbers(await output(rig)), inOrder());
  });

test('a child that shares the output and does not block leaves its parent what was promised', async () => {
  await using rig = await Rig.create();
  await rig.up({ talker: talker('exit', { CHILD: '1' }) });
  const [exited] = await rig.until('it has exited', async () => {
    const exits = (await rig.events('talker')).filter(({ type }) => type === 'instance-exited');
    return exits.length > 0 ? exits : undefined;
  });
  assert.ok(exited);
  const lines = await output(rig);
  assert.ok(lines.includes('child'), 'the child has opened it');
  assert.deepEqual(numbers(lines), inOrder());
});

test('where it may not wait, only what the pipe took is kept', async () => {
  await using rig = await Rig.create();
  // One write of more than any pipe takes: line by line the reader might keep up.
  await rig.up({ talker: { ...talker('SIGKILL', { AT_ONCE: '1' }), preload: false } });
  await rig.untilInstance('talker', ({ status }) => status === 'completed');
  const kept = numbers(await output(rig));
  assert.deepEqual(kept.slice(0, -1), inOrder().slice(0, kept.length - 1)); // the last one may be cut off
  assert.ok(kept.length < LINES, 'the test sees a difference');
});

/** O_NONBLOCK of a descriptor, as /proc/self/fdinfo has it, and what the application sees of the two properties. */
const LOOK = `
  const flags = (fd) => (parseInt(/flags:\\s*(\\d+)/.exec(require('fs').readFileSync('/proc/self/fdinfo/' + fd, 'utf8'))[1], 8) & 0o4000) > 0;
  const traits = (name) => {
    const { get, set, ...others } = Object.getOwnPropertyDescriptor(process, name);
    return [get.name, get.length, typeof set, others];
  };
  const before = [flags(1), flags(2), traits('stdout'), traits('stderr')];
  const isSame = process.stdout === process.stdout;
  process.stderr.write(JSON.stringify([...before, isSame, flags(1), flags(2), traits('stdout'), traits('stderr')]));
`;

test('a stream is opened by the application, not for it', async () => {
  const [hosted, bare] = [await look(true), await look(false)];
  assert.deepEqual([hosted[0], hosted[1]], [false, false], 'nobody has opened one');
  assert.deepEqual([hosted[5], hosted[6]], [false, false], 'they block');
  assert.deepEqual([bare[5], bare[6]], [true, true], 'as Node has them they do not');
  const seen = (all: unknown[]): unknown[] => [all[2], all[3], all[4], all[7], all[8]];
  assert.deepEqual(seen(hosted), seen(bare));
});

async function look(isHosted: boolean): Promise<unknown[]> {
  const setup = JSON.stringify({ path: PRELOAD, blocking: true });
  const preload = isHosted ? `UPKEEP_PRELOAD='${setup}' NODE_OPTIONS='--require ${PRELOAD}'` : '';
  const line = `(${preload} '${process.execPath}' -e "$LOOK" | cat) 2>&1 | cat`;
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], {
    env: { PATH: '/usr/bin:/bin', LOOK },
  });
  return JSON.parse(stdout) as unknown[];
}

function talker(end: string, env: Record<string, string> = {}): Parameters<Rig['up']>[0][string] {
  const variables = { LINES: String(LINES), END: end, ...env };
  return { script: app('prints-and-ends.cjs'), restart: 'never', ports: [], env: variables };
}

async function output(rig: Rig): Promise<string[]> {
  const { logs } = await rig.client.call('service', { params: { name: 'talker' } });
  return readFileSync(logs.out, 'utf8').trimEnd().split('\n');
}

function numbers(lines: readonly string[]): number[] {
  return lines.filter((line) => /^\d+ \.+$/.test(line)).map((line) => Number.parseInt(line));
}

function inOrder(): number[] {
  return Array.from({ length: LINES }, (_, index) => index);
}

import assert from 'node:assert/strict';
import { closeSync, constants, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeProfile, type ProfileTarget } from '../../src/inspector/index.js';
import { createFifo, loopbackPorts, readProcess } from '../../src/system/index.js';
import { app, assertSucceeded, freePort, Rig } from '../rig/index.js';

test('cpu and heap profiles of a program that knows nothing of it, also while it is in an endless loop', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const env = { PORT: String(port) };
  const health = { eventLoop: false } as const;
  const stop = { drain: 0, grace: '100ms' };
  assertSucceeded(await rig.up({ api: { script: app('hangs-when-told.cjs'), port, env, health, stop } }));
  const { pid } = await rig.instance('api');

  const heap = join(rig.folder, 'api.heapsnapshot');
  const taken = await rig.cli('profile', 'heap', 'api', '--out', heap);
  assert.equal(taken.code, 0, taken.stderr);
  const { snapshot } = JSON.parse(readFileSync(heap, 'utf8')) as { snapshot: { node_count: number } };
  assert.ok(snapshot.node_count > 1000);
  assert.equal(statSync(heap).mode & 0o777, 0o600);

  get({ host: '127.0.0.1', port, path: '/spin', agent: false }).on('error', () => undefined);
  const { cpuTicks } = readProcess(pid!)!;
  await rig.until('it is in its loop', () => readProcess(pid!)!.cpuTicks > cpuTicks + 20);
  const cpu = join(rig.folder, 'api.cpuprofile');
  const profiled = await rig.cli('profile', 'cpu', 'api', '--duration', '1s', '--out', cpu);
  assert.equal(profiled.code, 0, profiled.stderr);
  const { nodes, samples } = JSON.parse(readFileSync(cpu, 'utf8')) as {
    nodes: { callFrame: { url: string }; hitCount: number }[];
    samples: number[];
  };
  // Without a name: V8 has inlined the loop into its caller by then.
  const ofLoop = nodes.filter(({ callFrame }) => callFrame.url.endsWith('/hangs-when-told.cjs'));
  assert.ok(ofLoop.some(({ hitCount }) => hitCount > 0));
  assert.ok(samples.length > 0);
  const others = (): number[] => [...(loopbackPorts(pid!) ?? [])].filter((each) => each !== port);
  await rig.until('the inspector is closed', () => others().length === 0);

  const again = await rig.cli('profile', 'cpu', 'api', '--out', cpu);
  assert.match(again.stderr, /^Cannot write ".*": it exists$/m);
});

test('what cannot be profiled is told', async () => {
  await using rig = await Rig.create();
  assertSucceeded(await rig.up({ sleep: { command: 'sleep 1000' } }));
  const none = await rig.cli('profile', 'cpu', 'sleep');
  assert.equal(none.code, 7);
  assert.match(none.stderr, /^Cannot profile "sleep": pid \d+ \(sleep\) is no Node\.js process$/m);
  await rig.cli('stop', 'sleep');
  const stopped = await rig.cli('profile', 'heap', 'sleep', '--out', 'x.heapsnapshot');
  assert.match(stopped.stderr, /^Cannot profile "sleep": instance 0 is stopped$/m);
  assert.equal(existsSync(join(rig.folder, 'app', 'x.heapsnapshot')), false);
});

test('a profile of which not everything could be written is none', async () => {
  await using rig = await Rig.create();
  const script = rig.write(
    'deep.cjs',
    `const name = (_, i) => 'function step' + i + '(n) { for (let k = 0; k < 1e5; k++) n.x += k % 7; step' + (i + 1) + '(n) }';
    eval(Array.from({ length: 50 }, name).join(';') + '; function step50() {} setInterval(step0, 1, { x: 0 })');
    console.log('it goes on');`,
  );
  assertSucceeded(await rig.up({ api: { script } }));
  await rig.untilLogged('api', 'it goes on');
  const fifo = join(rig.folder, 'fifo');
  createFifo(fifo);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(fd, Buffer.alloc(60 * 1024)); // it takes 4 KiB more, and nobody reads
  const target = { process: readProcess((await rig.instance('api')).pid!)! } as ProfileTarget;
  const wish = { kind: 'cpu', durationMs: 500, fd, signal: new AbortController().signal } as const;
  await assert.rejects(takeProfile(target, wish), { code: 'EAGAIN' });
  closeSync(fd);
});

/** What works in a version of Node: each feature answers what it found, or throws. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, Wire } from '../../../test/rig/ask.js';
import { app, until } from '../../../test/rig/index.js';
import { type HostedAttempt, PreloadHost } from '../../../test/rig/preload-host.js';
import type { NodeVersion } from './versions.js';

export type Feature = (node: NodeVersion, rounds: number) => Promise<string>;

const SERVER = ['node', app('serves-http.cjs')];
const DRAIN = { do: 'drain', mode: 'stop', deadlineMs: 10_000, idleMs: 250 };

/** Connections that are made while no application runs are answered by the next attempt. */
export const port: Feature = async ({ program }, rounds) => {
  await using preload = new PreloadHost();
  const held = preload.hold('::');
  const start = async () => {
    const attempt = preload.start(SERVER, { node: program, env: { PORT: String(held.port) } });
    await attempt.untilSaid(/^listening \d+ \d+ :: \d+ held$/);
    return attempt;
  };
  let current = await start();
  for (let round = 0; round < rounds; round++) {
    current.kill('SIGKILL');
    await current.ended;
    const waiting = [ask(held.port), ask(held.port)];
    current = await start();
    for (const reply of await Promise.all(waiting)) assert.equal(reply.body, `hello ${current.pid} 1.1`);
  }
  return `${2 * rounds} kept`;
};

export const ready: Feature = async ({ program }) => {
  await using preload = new PreloadHost();
  const held = preload.hold('127.0.0.1');
  const attempt = preload.start(SERVER, {
    node: program,
    env: { PORT: String(held.port), HOST: '127.0.0.1' },
  });
  await attempt.untilPrinted(/^listening/);
  assert.equal(attempt.said.at(-1), `listening ${attempt.pid} 3 127.0.0.1 ${held.port} held`);
  assert.match(attempt.said[0]!, /^hello \d+ v\d+/);
  return 'said';
};

/** A request under way, a keep-alive client, a download and an idle connection while the process is drained. */
export const drain: Feature = async ({ program }, rounds) => {
  let replies = 0;
  for (let round = 0; round < rounds; round++) {
    await using preload = new PreloadHost();
    const held = preload.hold('::');
    const env = { PORT: String(held.port), GRACEFUL: 'exit' };
    const attempt = preload.start(SERVER, { node: program, env });
    const control = await attempt.control();
    const agent = new Agent({ keepAlive: true });
    await ask(held.port, '/', { agent });
    const idle = Wire.to(held.port).say('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await idle.hears('hello');
    const underWay = [ask(held.port, '/slow?400', { agent }), ask(held.port, '/chunks?500')];
    await delay(100);
    assert.deepEqual(await control.ask(DRAIN), { ok: true });
    const late = ask(held.port);
    for (const { body } of await Promise.all(underWay)) assert.match(body, /^slow \d+$|end\n$/);
    assert.deepEqual(await control.next(), { drained: true, cut: 0 });
    await idle.ends();
    assert.equal(idle.error, null);
    assert.equal(attempt.process.exitCode, null, 'it ended before the signal');
    const next = preload.start(SERVER, { node: program, env });
    assert.equal((await late).body, `hello ${next.pid} 1.1`);
    await closesWell(attempt);
    control.close();
    agent.destroy();
    replies += 4;
  }
  return `${replies} whole`;
};

async function closesWell(attempt: HostedAttempt): Promise<void> {
  attempt.kill();
  assert.deepEqual(await attempt.ended, { code: 0, signal: null });
  assert.equal(attempt.lines.at(-1), 'closed well');
}

/** Hold, private socket, attach. */
export const hold: Feature = async ({ program }) => {
  await using preload = new PreloadHost();
  const held = preload.hold('::');
  const attempt = preload.start(SERVER, { node: program, hold: true, env: { PORT: String(held.port) } });
  await attempt.untilPrinted(/^listening/);
  await assert.rejects(ask(held.port), /ECONNREFUSED/);
  const socketPath = attempt.socket(`${attempt.pid}.${held.port}`);
  assert.equal((await ask(0, '/', { socketPath })).body, `hello ${attempt.pid} 1.1`);
  const control = await attempt.control();
  assert.deepEqual(await control.ask({ do: 'attach' }), { ok: true });
  assert.equal((await ask(held.port)).body, `hello ${attempt.pid} 1.1`);
  control.close();
  return 'yes';
};

export const cluster: Feature = async ({ program }) => {
  await using preload = new PreloadHost();
  const held = preload.hold('::');
  const attempt = preload.start(['node', app('clusters.cjs')], {
    node: program,
    env: { PORT: String(held.port) },
  });
  const workers = await until('two workers listen', () => {
    const lines = attempt.said.filter((line) => line.endsWith('shared'));
    return lines.length === 2 && lines.map((line) => Number(line.split(' ')[1]));
  });
  const slow = [1, 2, 3, 4].map(() => ask(held.port, '/slow?300'));
  await delay(100);
  const controls = await Promise.all([attempt.pid, ...workers].map((pid) => attempt.control(pid)));
  for (const control of controls) assert.deepEqual(await control.ask(DRAIN), { ok: true });
  for (const { body } of await Promise.all(slow)) assert.match(body, /^slow/);
  for (const control of controls) assert.deepEqual(await control.next(), { drained: true, cut: 0 });
  for (const control of controls) control.close();
  return 'yes';
};

/** node, a shell, node: before 8 there is no NODE_OPTIONS that a shell could pass on. */
export const wrapper: Feature = async ({ program, major }) => {
  if (major < 8) return 'no';
  await using preload = new PreloadHost();
  const held = preload.hold('::');
  const code = `require('child_process').spawn('sh', ['-c', '"$0" "$1"; true', process.execPath, '${SERVER[1]}'])`;
  const attempt = preload.start(['node', '-e', code], { node: program, env: { PORT: String(held.port) } });
  const [, pid] = await attempt.untilSaid(/held$/);
  assert.equal((await ask(held.port)).body, `hello ${pid} 1.1`);
  return 'yes';
};

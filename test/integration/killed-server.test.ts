/** A wrapper that kills the process that serves and lives on: no exit tells, so `why`, an event and the report do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KilledServer } from '../../src/protocol/index.js';
import { freePort, Rig } from '../rig/index.js';

/** Serves, and prints for each request until somebody ends it. */
const SERVER = `
  const talk = () => console.log('x'.repeat(1000));
  require('http').createServer((request, response) => {
    response.end('hello');
    if (request.url === '/talk') setInterval(talk, 1);
  }).listen(Number(process.env.PORT), '127.0.0.1');`;

const wrapperOf = (command: string): string => `
  const { exec } = require('child_process');
  exec(${JSON.stringify(command)}, { maxBuffer: 20000 }, () => console.log('the wrapper goes on'));
  setInterval(() => undefined, 60000);`;

async function talk(port: number): Promise<void> {
  await fetch(`http://127.0.0.1:${port}/talk`).then((answer) => answer.text());
}

function untilKilled(rig: Rig, name: string): Promise<KilledServer> {
  return rig.until(`what ${name} lost is known`, async () => {
    const { killedServers } = await rig.client.call('why', { params: { name } });
    return killedServers[0];
  });
}

test('a server that its living wrapper killed is told, kept over a kill of the daemon, and shown', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const command = `${process.execPath} ${rig.write('server.cjs', SERVER)}; true`;
  const script = rig.write('wrapper.cjs', wrapperOf(command));
  await rig.up({ api: { script, env: { PORT: String(port) }, ports: [port], ready: 'port' } });
  await talk(port);
  await rig.untilLogged('api', 'the wrapper goes on');
  const killed = await untilKilled(rig, 'api');
  const { pid } = await rig.instance('api');
  assert.deepEqual([killed.verdict.cause, killed.verdict.confidence], ['exec-max-buffer', 'certain']);
  assert.match(
    killed.verdict.summary,
    new RegExp(`its own wrapper .pid ${pid}. killed ".*server.cjs; true"`),
  );
  assert.equal(killed.verdict.by?.pid, pid);
  assert.match(killed.verdict.hint ?? '', /use spawn/);
  const told = (await rig.events('api')).filter((event) => event.type === 'server-killed');
  assert.deepEqual(
    told.map((event) => [event.pid, event.cause, event.summary]),
    [[killed.pid, 'exec-max-buffer', killed.verdict.summary]],
  );

  const health = await rig.until('it is known that nobody serves', async () =>
    (await rig.events('api')).find((event) => event.type === 'instance-health'),
  );
  assert.ok(health.type === 'instance-health' && health.probe === 'server' && !health.healthy);
  assert.equal(health.detail, killed.verdict.summary);
  assert.equal((await rig.instance('api')).healthy, false);
  const report = await rig.client.call('report', {});
  assert.match(report.services[0]!.incidents[0]!.words, /^unhealthy: its own wrapper/);

  await rig.killDaemon();
  await rig.startDaemon();
  assert.deepEqual(await untilKilled(rig, 'api'), killed);
  assert.equal((await rig.instance('api')).healthy, false, 'the next daemon knows it, too');
  const { stdout } = await rig.cli('why', 'api');
  assert.match(
    stdout,
    /api\.0.* attempt 1 lost the process that served, pid \d+, at .*; its wrapper lived on/,
  );
  assert.match(stdout, /What to do\n.*use spawn/);
  await rig.request({ kind: 'stop', services: ['api'] });
  assert.equal((await rig.instance('api')).healthy, null);
});

test('the report and the exit name the wrapper where that made the service unhealthy', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const script = rig.write(
    'wrapper.cjs',
    wrapperOf(`${process.execPath} ${rig.write('server.cjs', SERVER)}`),
  );
  const health = { http: '/', interval: '200ms', timeout: '500ms', failures: 2 } as const;
  await rig.up({ api: { script, env: { PORT: String(port) }, ports: [port], ready: 'port', health } });
  await rig.untilInstance('api', ({ healthy }) => healthy === true);
  await talk(port);
  const exit = await rig.until('its end is explained', async () => {
    const { exits } = await rig.client.call('why', { params: { name: 'api' } });
    return exits[0];
  });
  assert.equal(exit.verdict.cause, 'unhealthy');
  assert.match(exit.verdict.summary, /because its own wrapper \(pid \d+\) killed .*maxBuffer/);
  assert.match(exit.verdict.hint ?? '', /use spawn/);
  const report = await rig.client.call('report', {});
  const [incident] = report.services[0]!.incidents;
  assert.equal(incident?.cause, 'unhealthy');
  assert.match(incident.words, /^unhealthy: its own wrapper \(pid \d+\) killed .*maxBuffer/);
  const told = (await rig.events('api')).find((event) => event.type === 'instance-health' && !event.healthy);
  assert.match((told?.type === 'instance-health' && told.because) || '', /its own wrapper/);
});

/** As a watcher of files does: what is in FILE changes, and it ends its child and starts another one, unless it says "no more". */
const WATCHER = `
  const { spawn } = require('child_process');
  const { watchFile, readFileSync } = require('fs');
  let child;
  const start = () => {
    child = spawn(process.execPath, [process.env.SERVER], { stdio: 'inherit' });
    child.on('exit', () => readFileSync(process.env.FILE, 'utf8') === 'no more' || start());
  };
  start();
  watchFile(process.env.FILE, { interval: 50 }, () => child.kill('SIGUSR2'));`;

/** It takes longer to listen than anybody waits for a wrapper that starts it anew. */
const SLOW_SERVER = `
  setTimeout(() => require('http').createServer((request, response) => response.end(String(process.pid)))
    .listen(Number(process.env.PORT), '127.0.0.1'), 4000);`;

test('a wrapper that starts another server in its place has killed nothing; one that does not has', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const file = rig.write('watched', 'one');
  const env = { PORT: String(port), FILE: file, SERVER: rig.write('server.cjs', SLOW_SERVER) };
  await rig.up({
    api: {
      script: rig.write('watcher.cjs', WATCHER),
      env,
      ports: [{ port, host: '127.0.0.1' }],
      ready: 'port',
    },
  });
  const pid = async (): Promise<string> =>
    fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(10_000),
    }).then((answer) => answer.text());
  const first = await pid();
  rig.write('watched', 'two');
  const second = await rig.until('another one serves', async () => {
    const now = await pid().catch(() => first);
    return now !== first && now;
  });
  rig.write('watched', 'no more');
  const killed = await untilKilled(rig, 'api');
  assert.deepEqual([String(killed.pid), killed.verdict.by?.pid], [second, (await rig.instance('api')).pid]);
  const { killedServers } = await rig.client.call('why', { params: { name: 'api' } });
  assert.equal(killedServers.length, 1, 'nothing of the first one');
});

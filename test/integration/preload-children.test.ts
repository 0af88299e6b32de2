/** Wrappers hand on to the application what the preload got; who listens hands on nothing. The test plays the shim. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../rig/ask.js';
import { app } from '../rig/index.js';
import { PreloadHost } from '../rig/preload-host.js';

const SERVER = app('serves-http.cjs');

/** The wrapper does this, and then waits. */
const WRAPPERS: Readonly<Record<string, string>> = {
  'a shell between two Nodes': `cp.spawn('sh', ['-c', 'node "$0"; true', SERVER], { stdio: 'inherit' })`,
  'fork, with its ipc channel': `
    const child = cp.fork(SERVER);
    if (child.stdio.length !== 4) throw new Error('stdio: ' + child.stdio.length);
    child.send('hello')`,
  'a stdio array': `
    const child = cp.spawn(process.execPath, [SERVER], { stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'ignore'] });
    if (child.stdio.length !== 5 || child.stdio[3] === null || child.stdio[4] !== null) throw new Error('stdio');
    if (child.spawnargs.join() !== [process.execPath, SERVER].join()) throw new Error(child.spawnargs);
    child.stdout.pipe(process.stdout)`,
  'an environment of its own': `
    const env = { PATH: process.env.PATH, PORT: process.env.PORT, NODE_OPTIONS: '--no-deprecation' };
    cp.spawn(process.execPath, [SERVER], { env, stdio: 'inherit' })`,
  'a detached child': `cp.spawn(process.execPath, [SERVER], { detached: true, stdio: 'ignore' }).unref(); setInterval(() => {}, 1e6)`,
  exec: `cp.exec('exec node ' + SERVER)`,
};

for (const [name, code] of Object.entries(WRAPPERS)) {
  test(`${name}: the application below gets the socket and a voice`, async () => {
    await using preload = new PreloadHost();
    const { port } = preload.hold('::');
    const script = `const cp = require('child_process'), SERVER = ${JSON.stringify(SERVER)}; ${code}`;
    const wrapper = preload.start(['node', '-e', script], { env: { PORT: String(port) } });
    const [, pid, , ...place] = await wrapper.untilSaid(/^listening/);
    assert.notEqual(Number(pid), wrapper.pid);
    assert.deepEqual(place, ['::', String(port), 'held']);
    assert.equal((await ask(port)).body, `hello ${pid} 1.1`);
    assert.equal(wrapper.said.filter((line) => line.startsWith('hello')).length, 2);
    const control = await wrapper.control(Number(pid));
    assert.deepEqual(await control.ask({ do: 'attach' }), { ok: true });
    control.close();
    process.kill(Number(pid), 'SIGKILL');
  });
}

test('npm start: the application below gets the socket', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const manifest = { name: 'wrapped', version: '1.0.0', scripts: { start: `node ${SERVER}` } };
  writeFileSync(join(preload.folder, 'package.json'), JSON.stringify(manifest));
  const wrapper = preload.start(['npm', 'start'], { cwd: preload.folder, env: { PORT: String(port) } });
  const [, pid] = await wrapper.untilSaid(new RegExp(`^listening .* ${port} held$`));
  assert.equal((await ask(port)).body, `hello ${pid} 1.1`);
});

test('children of an application that listens get nothing, and see nothing of upkeep', async () => {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const seen = `JSON.stringify([Object.keys(process.env).filter((name) => /UPKEEP|NODE_OPTIONS/.test(name)),
    require('fs').readdirSync('/proc/self/fd').filter((fd) => fd > 2 && /socket|app$/.test(read(fd)))])`;
  const child = `const read = (fd) => { try { return require('fs').readlinkSync('/proc/self/fd/' + fd) } catch (e) { return '' } };
    console.log(${seen})`;
  const code = `require('http').createServer().listen(${port}, () =>
    require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: 'inherit' }))`;
  const attempt = preload.start(['node', '-e', code]);
  assert.equal(await attempt.untilPrinted(/^\[/), '[[],[]]');
});

test('the environment and NODE_OPTIONS of an application are what they were', async () => {
  await using preload = new PreloadHost();
  preload.hold('::');
  const code = `console.log(process.env.NODE_OPTIONS, Object.keys(process.env).some((name) => name.startsWith('UPKEEP')), process.execArgv.length)`;
  for (const options of [undefined, '--no-deprecation']) {
    const attempt = preload.start(['node', '-e', code], options === undefined ? {} : { options });
    await attempt.ended;
    assert.equal(attempt.stdout, `${options} false 2\n`);
  }
});

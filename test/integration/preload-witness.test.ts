/** What the preload says of exits, kills and children: `why` names it, and the application cannot tell. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ExplainedExit } from '../../src/protocol/index.js';
import { Rig } from '../rig/index.js';

const PROGRAMS = {
  ends: 'process.exitCode = 6; setTimeout(() => process.exit(), 10)',
  exits: 'setTimeout(() => process.exit(3), 10)',
  rejects: 'setTimeout(() => Promise.reject(new Error("late")), 10)',
  buffers: `require('child_process').exec('yes', { maxBuffer: 5000 }, () => process.exit(1))`,
  mutes: `for (let i = 0; i < 300; i++) process.kill(process.pid, 'SIGWINCH');
    require('child_process').exec('yes', { maxBuffer: 5000 }, () => process.exit(1))`,
  times: `require('child_process').execFile('sleep', ['60'], { timeout: 100 }, () => process.exit(1))`,
  kills: `const child = require('child_process').spawn('sleep', ['60']);
    child.on('exit', (code, signal) => process.exit(signal === 'SIGKILL' ? 9 : 1)); child.kill('SIGKILL')`,
  sees: `const { kill, exit } = process; const { ChildProcess } = require('child_process');
    const own = [kill.name, kill.length, exit.name, exit.length, ChildProcess.prototype.kill.name, ChildProcess.prototype.kill.length];
    let thrown = ''; try { process.kill(process.pid, 'SIGNONE') } catch (error) { thrown = error.code }
    console.log(JSON.stringify([own, thrown, kill(process.pid, 0), Object.keys(process).includes('exit')])); process.exitCode = 5`,
} as const;

test('exits, rejections, kills and children are witnessed', async () => {
  await using rig = await Rig.create();
  const services = Object.entries(PROGRAMS).map(
    ([name, text]) =>
      [name, { script: rig.write(`${name}.cjs`, text), restart: 'never', ports: [] }] as const,
  );
  await rig.up(Object.fromEntries(services.map(([name, service]) => [name, { ...service, ports: [] }])));
  const explained = async (name: keyof typeof PROGRAMS): Promise<ExplainedExit> =>
    rig.until(
      `${name} is explained`,
      async () => (await rig.client.call('why', { params: { name } })).exits[0],
    );
  const { verdict: exits } = await explained('exits');
  assert.deepEqual([exits.cause, exits.confidence], ['exit-call', 'certain']);
  assert.match(exits.summary, /\(3\) at exits\.cjs:1/);
  assert.equal((await explained('ends')).exit.code, 6);
  assert.equal((await explained('rejects')).verdict.cause, 'rejection');
  const { verdict: buffers } = await explained('buffers');
  assert.equal(buffers.cause, 'exec-max-buffer');
  assert.match(buffers.summary, /its own wrapper .*"yes".*maxBuffer/);
  assert.equal((await explained('mutes')).verdict.cause, 'exec-max-buffer');
  assert.equal((await explained('times')).verdict.cause, 'exec-timeout');
  const { exit, verdict: kills } = await explained('kills');
  assert.deepEqual([exit.code, kills.cause], [9, 'exit-call']);
  assert.match(
    kills.summary,
    /^it called process\.exit\(9\) at kills\.cjs:2, after it had ended its child "sleep 60" \(pid \d+\) by SIGKILL$/,
  );
  assert.equal((await explained('sees')).exit.code, 5);
  assert.equal(await rig.log('sees'), '[["kill",2,"exit",1,"",1],"ERR_UNKNOWN_SIGNAL",true,true]\n');
});

test('exceptions that are caught, one after the other, do not fill the journal', async () => {
  await using rig = await Rig.create();
  const script = rig.write(
    'throws.cjs',
    `process.on('uncaughtException', () => undefined);
    console.log(process.env.UPKEEP_RUN);
    for (let i = 0; i < 2000; i++) setImmediate(() => { throw new Error('late') });
    setTimeout(() => console.log('done'), 10);
    setInterval(() => undefined, 1000000);`,
  );
  await rig.up({ api: { script, ports: [] } });
  await rig.untilLogged('api', 'done');
  const [runDir] = (await rig.log('api')).split('\n');
  const journal = readFileSync(join(runDir!, 'journal'), 'utf8');
  const told = journal.match(/ crash /g)!.length;
  assert.ok(told >= 200 && told < 1000, `${told} were told`);
  assert.equal(journal.match(/ survived /g)!.length, told);
});

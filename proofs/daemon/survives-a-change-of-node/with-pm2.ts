/**
 * Runs in a machine of its own: the same with PM2, installed in the folder of each Node, as `npm install --global` does it.
 *
 * As long as ~/.pm2/rpc.sock is there, the pm2 of Node 7 speaks to the daemon of Node 10: there is one, and it starts
 * applications by files that were removed with Node 10. Who begins anew then, with ~/.pm2 cleared away as PM2 itself was, has two.
 */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding, Report } from '../../../src/doctor/index.js';
import { readCommand, readProcess, readProcessTable } from '../../../src/system/index.js';
import { CLI, freePort, isListening, Program, until, type Outcome } from '../../../test/rig/index.js';
import { isolate } from '../../doctor/support/isolation.js';
import { PATIENT_SERVER, readArguments, SERVER, wordFindings, WORKER } from './cast.js';
import { Runtimes, type Runtime } from './runtimes.js';
import { VersionLoad, wordTallies } from './version-load.js';

/** PM2 gives an application up after 16 ends in a row. */
const GIVES_UP_MS = 60_000;

const { cast, folder } = readArguments();
const { requests, ten, seven } = cast;
const place = isolate(folder);
Object.assign(process.env, { HOME: place.root, TMPDIR: place.disk });

const runtimes = new Runtimes(join(folder, 'node'));
const app = join(folder, 'app');
const pm2Home = join(place.root, '.pm2');
const { PATH, USER } = process.env;
const env = {
  PATH: `${runtimes.bin}:${PATH}`,
  USER,
  HOME: place.root,
  LANG: 'C.UTF-8',
  UPKEEP_HOME: join(folder, 'upkeep'),
};
const scripts: Readonly<Record<string, string>> = { shop: SERVER, api: PATIENT_SERVER, worker: WORKER };
const ports = new Map([
  ['shop', await freePort()],
  ['api', await freePort()],
]);

mkdirSync(app);
const apps = Object.entries(scripts).map(([name, script]) => ({
  name,
  script,
  // PM2 does not know .cjs.
  interpreter: 'node',
  env: { PORT: ports.get(name) },
}));
writeFileSync(join(app, 'ecosystem.config.js'), `module.exports = ${JSON.stringify({ apps })};\n`);

installWithPm2(ten);
await mustSucceed(pm2('start', 'ecosystem.config.js'));
const [god] = gods() as [number];
await until('they listen', async () =>
  (await Promise.all([...ports.values()].map(isListening))).every(Boolean),
);
await using load = new VersionLoad(ports, ten.version);
let [answered, failed, mostGods] = [0, 0, 0];
await scene(`applications on Node ${ten.version}`, ['pm2-daemon']);

runtimes.remove(ten);
const [removed] = await scene('Node 10 was removed, and PM2 with it', ['pm2-daemon']);
assert.equal(removed?.evidence['isExecutableGone'], true);

installWithPm2(seven);
await mustSucceed(pm2('restart', 'shop'));
assert.deepEqual(gods(), [god], 'pm2 of Node 7 speaks to the daemon of Node 10');
await until('the daemon has given the shop up', () => namesBelow(god).join() === 'api,worker', GIVES_UP_MS);
await scene(`"pm2 restart shop" by Node ${seven.version} succeeded`, ['pm2-daemon']);
assert.equal(await isListening(ports.get('shop')!), false, 'and the shop is gone');

rmSync(pm2Home, { recursive: true });
await mustSucceed(pm2('start', 'ecosystem.config.js'));
await until('the shop listens', () => isListening(ports.get('shop')!));
const [second = 0] = gods().filter((pid) => pid !== god);
assert.deepEqual([gods().length, readProcess(second)?.name.slice(0, 3)], [2, 'PM2']);
await until('it runs all', () => namesBelow(second).join() === 'api,shop,worker');
const findings = await scene('PM2 was begun anew', ['pm2-daemon', 'pm2-daemon', 'run-twice', 'run-twice']);
const twice = verify(findings);

// What doctor tells to do.
for (const command of new Set(named(findings, 'run-twice').map((finding) => finding.command)))
  await mustSucceed(shell(command));
await until('the first daemon and what it ran are gone', () => !readProcess(god) && isOneEach());
await until('the api listens', () => isListening(ports.get('api')!));
const [left] = await scene('the command of doctor was run', ['pm2-daemon']);
await mustSucceed(shell(left!.command));
assert.deepEqual([gods(), await diagnose()], [[], []], 'nothing is left');
const figures = {
  'requests answered': answered,
  'requests failed': failed,
  'daemons of PM2 at the same time': mostGods,
  'applications run twice': twice.join(', '),
};
for (const [what, figure] of Object.entries(figures)) console.log(`${what}: ${figure}`);

/** Two daemons with everything about them, and exactly the two applications that both run; answers their names. */
function verify(all: readonly Finding[]): string[] {
  const daemons = named(all, 'pm2-daemon');
  assert.deepEqual(
    daemons.map(({ evidence }) => [evidence['pid'], evidence['home'], evidence['isExecutableGone']]),
    [
      [second, pm2Home, false],
      [god, pm2Home, true],
    ],
  );
  for (const { fact, evidence } of daemons) {
    assert.match(String(evidence['version']), /^3\.5\.2$/);
    console.log(`  ${fact}`);
  }
  const runs = named(all, 'run-twice').map(
    ({ evidence }) => evidence['runs'] as { name: string; pid: number }[],
  );
  const names = runs.map(([first]) => first!.name).sort();
  assert.deepEqual(names, ['api', 'worker'], 'the shop runs once');
  for (const group of runs) {
    assert.deepEqual(
      group.map(({ pid }) => readProcess(pid)?.parent),
      [second, god],
    );
    for (const { name, pid } of group) assert.ok(readCommand(pid)?.includes(scripts[name]!), name);
  }
  for (const { fact, command } of named(all, 'run-twice')) console.log(`  ${fact}\n    fix: ${command}`);
  return names;
}

async function scene(title: string, found: readonly string[]): Promise<readonly Finding[]> {
  await load.untilAsked(requests);
  const findings = await diagnose();
  const daemons = gods().length;
  mostGods = Math.max(mostGods, daemons);
  assert.deepEqual(findings.map(({ id }) => id).sort(), [...found].sort(), JSON.stringify(findings));
  const tallies = load.take();
  for (const tally of tallies.values()) {
    answered += [...tally.answers.values()].reduce((sum, count) => sum + count, 0);
    failed += tally.failures.length;
  }
  console.log(
    `${title}: ${daemons} daemon${daemons === 1 ? '' : 's'} of PM2; ` +
      `doctor finds ${wordFindings(findings)}; requests: ${wordTallies(tallies)}`,
  );
  return findings;
}

async function diagnose(): Promise<readonly Finding[]> {
  const doctor = new Program(process.execPath, [CLI, 'doctor', '--json'], { env, cwd: app });
  const { stdout, stderr } = await doctor.ended;
  assert.notEqual(stdout, '', stderr);
  return (JSON.parse(stdout) as Report).findings;
}

function named(all: readonly Finding[], id: string): Finding[] {
  return all.filter((finding) => finding.id === id);
}

/** Whoever calls itself that, without doctor. */
function gods(): number[] {
  const isGod = (pid: number): boolean => readCommand(pid)?.includes('God Daemon') ?? false;
  return [...readProcessTable().values()]
    .filter(({ pid, state, parent }) => state !== 'Z' && isGod(pid) && !isGod(parent)) // forked by one, not executed yet
    .map(({ pid }) => pid);
}

/** Applications that a daemon runs, by their scripts. */
function namesBelow(daemon: number): string[] {
  const children = [...readProcessTable().values()].filter(({ parent }) => parent === daemon);
  return children
    .map(({ pid }) => Object.keys(scripts).find((name) => readCommand(pid)?.includes(scripts[name]!)) ?? '?')
    .sort();
}

function isOneEach(): boolean {
  return Object.values(scripts).every((script) => {
    const running = [...readProcessTable().values()].filter(({ pid }) => readCommand(pid)?.includes(script));
    return running.length === 1;
  });
}

function installWithPm2(runtime: Runtime): void {
  runtimes.install(runtime);
  const prefix = runtimes.folderOf(runtime);
  cpSync(join(cast.pm2, 'node_modules'), join(prefix, 'lib/node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  symlinkSync('../lib/node_modules/pm2/bin/pm2', join(prefix, 'bin/pm2'));
}

function pm2(...args: readonly string[]): Promise<Outcome> {
  return new Program(join(runtimes.bin, 'pm2'), args, { env, cwd: app }).ended;
}

/** A command line as the user would paste it. */
function shell(command: string): Promise<Outcome> {
  return new Program('/bin/sh', ['-c', command], { env, cwd: app }).ended;
}

async function mustSucceed(outcome: Promise<Outcome>): Promise<void> {
  const { code, stdout, stderr } = await outcome;
  assert.equal(code, 0, `${stdout}${stderr}`);
}

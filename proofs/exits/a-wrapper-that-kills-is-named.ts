/**
 * A real Egg application behind a wrapper that starts it by exec and logs past 1 MiB: `upkeep why` names the wrapper's maxBuffer as the
 * killer, with the fix, also where the wrapper lives on and nothing has ended; the fixed wrapper serves on.
 *
 * The chain is index.js -> npx -> egg-scripts -> master -> agent and worker. Egg comes from npm, once, into the cache of
 * supervision/real-applications (UPKEEP_PROOF_CACHE). At a scale below 1 the fixed wrapper prints 4 MiB, otherwise 20 MiB.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ExplainedExit, KilledServer } from '../../src/protocol/index.js';
import { freePort, Rig } from '../../test/rig/index.js';

const DEADLINE_MS = 120_000;
/** Nobody who serves takes longer. */
const VISIT_MS = 10_000;
const KIB_A_REQUEST = 64;
const EXEC_KEEPS_KIB = 1024;

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const fixedKib = (Number(values.scale) >= 1 ? 20 : 4) * 1024;
const HERE = import.meta.dirname;
const EGG = join(HERE, '../supervision/real-applications/apps/egg');
const APP = join(HERE, 'a-wrapper-that-kills-is-named/app');
const CACHE = join(process.env['UPKEEP_PROOF_CACHE'] ?? join(tmpdir(), 'upkeep-proof-apps'), 'egg');

install();
const failures: string[] = [];
await using rig = await Rig.create();
const folder = join(rig.folder, 'app', 'shop');
cpSync(EGG, folder, { recursive: true });
for (const name of ['index.js', 'living.js', 'fixed.js']) cpSync(join(APP, name), join(folder, name));
cpSync(join(APP, 'home.js'), join(folder, 'app/controller/home.js'));
symlinkSync(join(CACHE, 'node_modules'), join(folder, 'node_modules'));

const { verdict, pid } = await killedByItsWrapper();
const lost = await killedByALivingWrapper();
expect(
  lost.verdict.cause === 'exec-max-buffer',
  `the cause behind a living wrapper is ${lost.verdict.cause}`,
);
expect(
  lost.verdict.summary.includes(`wrapper (pid ${lost.verdict.by?.pid})`),
  'the living wrapper is not named',
);
expect(lost.verdict.hint === verdict.hint, 'the fix of the living one is another one');
const answered = await servesOn();
expect(verdict.cause === 'exec-max-buffer', `the cause is ${verdict.cause}`);
expect(verdict.confidence === 'certain', `it is only ${verdict.confidence}`);
expect(verdict.summary.includes(`wrapper (pid ${pid})`), 'the wrapper is not named');
expect(
  /index\.js:4/.test(verdict.summary) || /npx egg-scripts start/.test(verdict.summary),
  'the command is not named',
);
for (const word of ['spawn', 'maxBuffer: Infinity', "stdio: 'inherit'"])
  expect(verdict.hint?.includes(word) ?? false, `the fix does not say ${word}`);
for (const failure of failures) console.log(failure);
console.log(
  `killed beyond ${EXEC_KEEPS_KIB} KiB: ${verdict.cause}, ${verdict.confidence}, of a living wrapper: ${lost.verdict.cause}, ${lost.verdict.confidence}; fixed: ${answered} requests, ${(answered * KIB_A_REQUEST) / 1024} MiB printed, none failed`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

async function killedByItsWrapper(): Promise<ExplainedExit> {
  const port = await start('shop', 'index.js');
  console.log((await rig.cli('tree', 'shop')).stdout);
  for (let printed = 0; printed < EXEC_KEEPS_KIB * 2 && (await visit(port)); printed += KIB_A_REQUEST)
    continue;
  const look = async (): Promise<ExplainedExit | undefined> =>
    (await rig.client.call('why', { params: { name: 'shop' } })).exits[0];
  const explained = await rig.until('its end is explained', look, DEADLINE_MS);
  console.log((await rig.cli('why', 'shop')).stdout);
  return explained;
}

async function killedByALivingWrapper(): Promise<KilledServer> {
  const port = await start('living', 'living.js');
  for (let printed = 0; printed < EXEC_KEEPS_KIB * 2 && (await visit(port)); printed += KIB_A_REQUEST)
    continue;
  const look = async (): Promise<KilledServer | undefined> => {
    const { exits, killedServers } = await rig.client.call('why', { params: { name: 'living' } });
    expect(exits.length === 0, 'the living wrapper has ended');
    return killedServers[0];
  };
  const killed = await rig.until('what the living wrapper killed is known', look, DEADLINE_MS);
  console.log((await rig.cli('why', 'living')).stdout);
  await rig.request({ kind: 'stop', services: ['living'] });
  return killed;
}

async function servesOn(): Promise<number> {
  const port = await start('fixed', 'fixed.js');
  let answered = 0;
  for (let printed = 0; printed < fixedKib; printed += KIB_A_REQUEST) {
    if (await visit(port)) answered++;
    else failures.push('a request to the fixed one failed');
  }
  return answered;
}

/** Answers its port, when it serves. */
async function start(name: string, script: string): Promise<number> {
  const port = await freePort();
  await rig.up({
    [name]: {
      script: join(folder, script),
      cwd: folder,
      restart: 'never',
      env: { EGG_PORT: String(port), HOME: rig.folder },
    },
  });
  await rig.until(`${name} serves`, () => visit(port), DEADLINE_MS);
  return port;
}

function visit(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(VISIT_MS) }).then(
    async (response) => (await response.text()) === 'the Egg shop',
    () => false,
  );
}

function expect(isSo: boolean, otherwise: string): void {
  if (!isSo) failures.push(otherwise);
}

function install(): void {
  if (existsSync(join(CACHE, 'node_modules/egg-scripts'))) return;
  mkdirSync(CACHE, { recursive: true });
  cpSync(join(EGG, 'package.json'), join(CACHE, 'package.json'));
  console.log(`Installing egg into ${CACHE}`);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: CACHE });
}

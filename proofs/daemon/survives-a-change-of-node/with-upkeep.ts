/** Runs in a machine of its own: Node 10 is removed under upkeep, then the Node of the daemon, then Node 7 comes. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceConfig } from '../../../src/config/index.js';
import type { Finding, Report } from '../../../src/doctor/index.js';
import { CLI, freePort, Program, Rig, type Outcome } from '../../../test/rig/index.js';
import { BootUnit } from '../../doctor/support/boot-unit.js';
import { isolate } from '../../doctor/support/isolation.js';
import { doubled, pidsOf } from '../support/census.js';
import { PATIENT_SERVER, readArguments, SERVER, wordFindings, WORKER } from './cast.js';
import { Runtimes } from './runtimes.js';
import { SupervisorWatch } from './supervisor-watch.js';
import { VersionLoad, wordTallies } from './version-load.js';

const COMMANDS_AT_ONCE = 5;
const INSTANCES = ['shop.0', 'shop.1', 'api.0', 'search.0', 'worker.0'];
/** All of them but the one that names the path of a version. */
const BY_LINK = INSTANCES.filter((instance) => instance !== 'search.0');
/** The file names an interpreter that is not there. */
const CONFIGURATION = 'config-invalid';
const GONE = [...named('runtime-gone', INSTANCES), CONFIGURATION];

const { cast, folder } = readArguments();
const { requests, ten, seven, own } = cast;
const place = isolate(folder);
Object.assign(process.env, { HOME: place.root, TMPDIR: place.disk });

const runtimes = new Runtimes(join(folder, 'node'));
const daemonsNode = join(folder, 'opt/upkeep/node');
mkdirSync(join(folder, 'opt/upkeep'), { recursive: true });
copyFileSync(own.program, daemonsNode);
runtimes.install(ten);

await using rig = await Rig.create({ hasDaemon: false });
const env = { ...rig.env, PATH: `${runtimes.bin}:${rig.env['PATH']}` };
const app = join(rig.folder, 'app');
const unit = new BootUnit(rig.home.path);
const ports = new Map<string, number>();
for (const service of ['shop', 'api', 'search']) ports.set(service, await freePort());

unit.install(daemonsNode);
writeFileSync(join(app, '.nvmrc'), `${ten.version}\n`);
describe(runtimes.folderOf(ten));
await mustSucceed(upkeepBy(daemonsNode, 'up'));
const first = await pids();
await using watch = new SupervisorWatch(rig);
await using load = new VersionLoad(ports, ten.version);

let [answered, failed, wrong] = [0, 0, 0];
await scene(`services on Node ${ten.version}`, []);

runtimes.remove(ten);
await scene('Node 10 was removed', GONE);

for (const [command, ...services] of [['restart', 'all'], ['reload', 'shop', 'api'], ['up']] as const) {
  const { code, stderr } = await upkeepBy(daemonsNode, command, ...services);
  assert.notEqual(code, 0, stderr);
  assert.match(stderr, /\/node\S* does not exist/);
  console.log(`upkeep ${[command, ...services].join(' ')}: exit code ${code}, ${firstLine(stderr)}`);
}
assert.deepEqual(await pids(), first, 'what ran was left alone');
await scene('nothing could be restarted', GONE);

rmSync(daemonsNode);
await scene('the Node of the daemon was removed', [...GONE, 'runtime-gone the daemon', 'boot-unit-broken']);
const { guardian } = await rig.client.call('daemon');
await rig.crashDaemon();
await rig.until('its Node is missed', () => readFileSync(rig.home.log, 'utf8').includes('again in 1 s'));
await scene('the daemon was killed', [...GONE, 'boot-unit-broken', 'daemon-not-running'], [0, 1]);

const commands = Array.from({ length: COMMANDS_AT_ONCE }, () => upkeepBy(process.execPath, 'list'));
for (const outcome of await Promise.all(commands)) assert.equal(outcome.code, 0, outcome.stderr);
await rig.until('the first guardian has left', () => !rig.lives(guardian!));
unit.install(process.execPath);
assert.deepEqual(await pids(), first, 'what ran was taken back');
await scene(`${COMMANDS_AT_ONCE} commands at once were run by another Node`, GONE);

runtimes.install(seven);
await scene(`Node ${seven.version} was put in its place`, [
  ...named('runtime-replaced', BY_LINK),
  'runtime-gone search.0',
  CONFIGURATION,
]);

for (const service of ports.keys()) load.expect(service, ten.version, seven.version);
await mustSucceed(upkeepBy(process.execPath, 'restart', 'shop', 'api', 'worker'));
describe(runtimes.folderOf(seven));
await mustSucceed(upkeepBy(process.execPath, 'up'));
for (const service of ports.keys()) load.expect(service, seven.version);
await scene('services were started again', named(`node-version ${seven.version}`, INSTANCES.map(serviceOf)));
writeFileSync(join(app, '.nvmrc'), `${seven.version}\n`);
await scene('.nvmrc was corrected', []);

assert.equal(watch.mostDaemons, 1, 'never two daemons');
assert.equal(watch.daemons.size, 2, 'one daemon, and the one after it');
const figures = {
  'requests answered by the version that should': answered,
  'by another one': wrong,
  'requests failed': failed,
  'daemons at the same time, at most': `${watch.mostDaemons}, in ${watch.looks} looks`,
  'daemons one after the other': watch.daemons.size,
  'instances doubled': doubled(rig).length,
};
for (const [what, figure] of Object.entries(figures)) console.log(`${what}: ${figure}`);

/** Everybody is asked, doctor finds exactly this, and nobody is there twice. */
async function scene(
  title: string,
  found: readonly string[],
  supervisors: readonly [daemons: number, guardians: number] = [1, 1],
): Promise<void> {
  await load.untilAsked(requests);
  const findings = await diagnoseAs(found);
  await rig.until('the supervisors are counted', () => String(watch.count()) === String(supervisors));
  assert.deepEqual(doubled(rig), [], 'no instance runs twice');
  const tallies = load.take();
  for (const [service, tally] of tallies) {
    assert.deepEqual(tally.failures, [], `${title}: no request of ${service} fails`);
    assert.equal(tally.wrong, 0, `${title}: ${service} answers by the right version`);
    answered += [...tally.answers.values()].reduce((sum, count) => sum + count, 0);
    failed += tally.failures.length;
    wrong += tally.wrong;
  }
  console.log(`${title}: doctor finds ${wordFindings(findings)}; requests: ${wordTallies(tallies)}`);
}

/** A guardian that just tries to start its daemon holds the lock for a moment: doctor may look again. */
async function diagnoseAs(found: readonly string[]): Promise<readonly Finding[]> {
  let findings: readonly Finding[] = [];
  const isFound = async (): Promise<boolean> => {
    const { stdout, stderr } = await upkeepBy(process.execPath, 'doctor', '--json');
    assert.notEqual(stdout, '', stderr);
    ({ findings } = JSON.parse(stdout) as Report);
    return String(findings.map(wordFinding).sort()) === String([...found].sort());
  };
  const looks = watch.count()[0] === 0 ? 3 : 1;
  for (let look = 0; look < looks; look++) if (await isFound()) return findings;
  assert.deepEqual(findings.map(wordFinding).sort(), [...found].sort());
  return findings;
}

function named(id: string, whom: readonly string[]): string[] {
  return whom.map((who) => `${id} ${who}`);
}

function serviceOf(instance: string): string {
  return instance.slice(0, instance.lastIndexOf('.'));
}

/** With whom it is about. */
function wordFinding({ id, evidence }: Finding): string {
  if (id.startsWith('runtime-')) return `${id} ${String(evidence['who'])}`;
  return id === 'node-version' ? `${id} v${String(evidence['version'])} ${String(evidence['service'])}` : id;
}

/** By a folder that is replaced, by PATH, and by the path of one version, which is the only one that has to be corrected. */
function describe(searchNode: string): void {
  const serve = (name: string, config: ServiceConfig): ServiceConfig => {
    const port = ports.get(name)!;
    return { ...config, port, env: { PORT: port } };
  };
  const services: Record<string, ServiceConfig> = {
    shop: serve('shop', { script: SERVER, interpreter: runtimes.local, instances: 2 }),
    api: serve('api', { command: ['node', PATIENT_SERVER] }),
    search: serve('search', { script: SERVER, interpreter: searchNode }),
    worker: { command: ['node', WORKER] },
  };
  writeFileSync(join(app, 'upkeep.config.json'), JSON.stringify({ services }));
}

function upkeepBy(node: string, ...args: readonly string[]): Promise<Outcome> {
  return new Program(node, [CLI, ...args], { env, cwd: app }).ended;
}

async function mustSucceed(outcome: Promise<Outcome>): Promise<void> {
  const { code, stderr } = await outcome;
  assert.equal(code, 0, stderr);
}

async function pids(): Promise<ReadonlyMap<string, number | null>> {
  return pidsOf(await rig.client.call('services'), []);
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.includes('Cannot')) ?? text.split('\n')[0]!;
}

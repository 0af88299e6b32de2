/**
 * On a real systemd, as root, as a normal user and as root for one: after power cuts and shutdowns what ran runs, and what was stopped is stopped.
 *
 * Each is installed while services run, tested, restarted by systemctl (no pid changes), cut from its power, shut down
 * in order, and removed (nothing is left). A unit that is broken in any of several ways fails `upkeep boot test`.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Site, type Breakage } from './survives-a-power-cut/site.js';
import { ROOT, SystemdHost } from './support/systemd-host.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scaled = (count: number): number => Math.max(1, Math.round(count * Number(values.scale)));
const RESTARTS = scaled(20);
const POWER_CUTS = scaled(10);
const SHUTDOWNS = scaled(5);

const BREAKAGES: Readonly<Record<string, Breakage>> = {
  'a Node.js that is gone': {
    spoil: (text) => text.replaceAll('/opt/node/bin/node', '/opt/gone/bin/node'),
    says: /\/opt\/gone\/bin\/node does not exist/,
  },
  'another program': {
    spoil: (text) => text.replace(/^ExecStart=.*$/m, 'ExecStart=/bin/false'),
    says: /systemd cannot start it: result "(?:exit-code|protocol)"/,
  },
  'a program that is not there': {
    spoil: (text) => text.replace(/^ExecStart=.*$/m, 'ExecStart=/opt/nothing'),
    says: /systemd-analyze verify says: .*\/opt\/nothing/,
  },
  'services that end with the daemon': {
    spoil: (text) => text.replace('KillMode=process', 'KillMode=control-group'),
    says: /systemd cannot restart it|a restart of the unit changed the pid of a service/,
  },
};

await using host = await SystemdHost.create();
await host.boot();
const sites = [
  new Site(host, ROOT),
  new Site(host, await host.addUser('bob')),
  new Site(host, await host.addUser('ann'), ROOT),
];

for (const site of sites) await install(site);
await restart();
const expected = new Map<Site, Record<string, string>>();
for (const site of sites) expected.set(site, await site.states());
await endAndBoot('power cut', POWER_CUTS, () => host.cutPower());
await endAndBoot('shutdown', SHUTDOWNS, async () => {
  await host.shutDown();
  for (const { life } of sites) life.assertEndOrder();
});
await stopOne();
for (const site of sites) await remove(site);

async function install(site: Site): Promise<void> {
  await site.deploy();
  const before = await site.pids();
  await site.bootOrThrow('install');
  assert.deepEqual(await site.pids(), before, 'an installation changes no pid');
  const { way, findings } = await site.bootStatus();
  assert.equal(way, site.isMachines ? 'system-systemd' : 'user-systemd');
  assert.deepEqual(findings, []);
  const answers = await site.assertTestSees(BREAKAGES);
  assert.deepEqual(await site.pids(), before, 'no test changes a pid');
  console.log(`${site.user.name}: installed, boot test passed; it failed with`);
  for (const answer of answers) console.log(`  ${answer}`);
}

async function restart(): Promise<void> {
  for (const site of sites) {
    const before = await site.pids();
    for (let round = 0; round < RESTARTS; round++) {
      await site.systemctl('restart', site.unit);
      assert.deepEqual(await site.pids(), before, `restart ${round}`);
    }
    const count = Object.values(before).filter((pid) => pid !== null).length;
    console.log(
      `${site.user.name}: ${RESTARTS} x systemctl restart ${site.unit}: ${count} processes, 0 pids changed`,
    );
  }
}

async function endAndBoot(what: string, rounds: number, end: () => Promise<void>): Promise<void> {
  const bootMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { life } of sites) life.forget();
    // What ends in order writes that down, too: only the new boot is judged after it.
    await end();
    for (const { life } of sites) life.forget();
    const startedAt = performance.now();
    await host.boot();
    for (const site of sites) await site.untilStates(expected.get(site)!);
    bootMs.push(performance.now() - startedAt);
    for (const { life } of sites) life.assertStartOrder();
  }
  const slowest = (Math.max(...bootMs) / 1000).toFixed(1);
  console.log(
    `${rounds} x ${what}: all as before, in the order of dependencies; at the latest ${slowest} s after`,
  );
}

/** Nothing has to be saved for the next boot. */
async function stopOne(): Promise<void> {
  for (const site of sites) {
    await site.upkeep('stop', 'cache');
    await site.upkeep('start', 'off');
    expected.set(site, await site.states());
  }
  await host.cutPower();
  await host.boot();
  for (const site of sites) await site.untilStates(expected.get(site)!);
  console.log('a power cut right after stop and start: what was stopped is stopped, what was started runs');
}

async function remove(site: Site): Promise<void> {
  const { user, isMachines } = site;
  assert.equal(existsSync(host.path('/var/lib/systemd/linger', user.name)), !isMachines);
  const before = await site.pids();
  await site.bootOrThrow('remove');
  await site.assertNothingLeft();
  // systemd of a user ends with its last session, and all that it had started: linger was its only reason to live.
  if (isMachines) assert.deepEqual(await site.pids(), before, 'a removal changes no pid');
  else await site.untilStates(expected.get(site)!);
  assert.equal((await site.bootStatus()).way, 'on-demand');
  console.log(`${user.name}: removed, nothing is left of it; services ${isMachines ? 'went on' : 'run'}`);
}

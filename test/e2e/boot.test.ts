/** What `upkeep boot` says where nothing is installed; proofs/boot tries it on a real systemd. */
import assert from 'node:assert/strict';
import { existsSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BootStatus } from '../../src/boot/index.js';
import { Rig } from '../rig/index.js';

const isSystemdThere = existsSync('/run/systemd/system');

test('a dry run prints the unit for this home and this Node.js, and does nothing', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const { code, stdout, stderr } = await rig.cli('boot', 'install', '--dry-run', '--unit', 'upkeep-rig');
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^Environment="UPKEEP_HOME=${rig.home.path}"$`, 'm'));
  assert.match(
    stdout,
    new RegExp(`^ExecStart=.* -- ${realpathSync(process.execPath)} .*/dist/daemon\\.js$`, 'm'),
  );
  assert.match(stderr, /^Nothing was done\. It would be written to \/.*\/upkeep-rig\.service; then:$/m);
  assert.match(stderr, /^ {2}systemctl (?:--user )?enable upkeep-rig\.service$/m);
  assert.equal(existsSync(rig.home.path), false);
});

test('files for other init systems are printed, and said to be untested', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  for (const [init, first] of [
    ['launchd', /^<\?xml/],
    ['openrc', /^#!\/sbin\/openrc-run\n/],
  ] as const) {
    const { code, stdout, stderr } = await rig.cli('boot', 'install', '--init', init);
    assert.equal(code, 0);
    assert.match(stdout, first);
    assert.match(stderr, /untested/);
  }
  const { code, stderr } = await rig.cli('boot', 'install', '--init', 'runit');
  assert.deepEqual([code, /hint: systemd, launchd or openrc/.test(stderr)], [2, true]);
});

test('the status of a home without a unit says so, with the next step, and starts no daemon', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const { code, stdout } = await rig.cli('boot', 'status', '--json', '--unit', 'upkeep-rig');
  const { way, isInstalled, findings } = JSON.parse(stdout) as BootStatus;
  assert.deepEqual([code, way, isInstalled], [3, null, false]);
  const [{ message, hint } = { message: '', hint: '' }] = findings;
  assert.equal(
    message,
    isSystemdThere ? 'nothing starts the daemon at boot' : 'systemd does not run on this machine',
  );
  assert.match(hint, /^upkeep boot install/);
  assert.deepEqual(rig.processes(), []);
});

test('without systemd an installation is refused before anything is written', async () => {
  if (isSystemdThere) return; // there it would be done
  await using rig = await Rig.create({ hasDaemon: false });
  for (const action of ['install', 'test']) {
    const { code, stderr } = await rig.cli('boot', action, '--unit', 'upkeep-rig');
    assert.equal(code, 7);
    assert.equal(
      stderr,
      'Cannot manage the boot: systemd does not run on this machine\n' +
        '  hint: for another init system, untested: upkeep boot install --init launchd | openrc\n',
    );
  }
  assert.equal(existsSync(rig.home.path), false);
});

test('a home that came from a machine with systemd gets its daemon on demand', async () => {
  await using rig = await Rig.create();
  await rig.cli('daemon', 'stop');
  const unit = { scope: 'system', unit: 'upkeep-rig.service', path: rig.home.lock, hasEnabledLinger: false };
  writeFileSync(rig.home.bootUnit, JSON.stringify(unit));
  assert.equal((await rig.cli('daemon', 'start')).code, 0);
  assert.equal((await rig.cli('daemon', 'stop')).code, 0);
});

test('mistakes on the command line are named', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const cases = [
    [['boot'], 'it needs "install", "remove", "status" or "test"'],
    [['boot', 'enable'], '"enable" is none of install, remove, status, test'],
    [['boot', 'status', '--user', 'nobody-of-this-name'], '/etc/passwd has no such user'],
    [['boot', 'status', '--unit', '../x'], 'a unit has letters, digits and -_.: in its name'],
  ] as const;
  for (const [args, fact] of cases) {
    const { code, stderr } = await rig.cli(...args);
    assert.equal(code, 2);
    assert.ok(stderr.includes(fact), stderr);
  }
  assert.ok(!existsSync(join(rig.folder, 'home')));
});

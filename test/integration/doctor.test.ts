/** What the doctor sees of real processes and files. Other machines' worth of sicknesses: proofs/doctor/sick-machines.ts. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding, Report } from '../../src/doctor/index.js';
import { app, freePort, Rig } from '../rig/index.js';

type Diagnosis = Report & { readonly fixed: readonly Finding[]; readonly exitCode: number | null };

async function diagnose(rig: Rig, ...options: string[]): Promise<Diagnosis> {
  const { code, stdout } = await rig.cli('doctor', '--json', ...options);
  return { ...(JSON.parse(stdout) as Diagnosis), exitCode: code };
}

/** Of this home: other tests run on the same machine. */
function ids({ findings }: Diagnosis): string[] {
  const isOurs = ({ id }: Finding): boolean => !['pm2-daemon', 'run-twice', 'oom-kills'].includes(id);
  return findings.filter(isOurs).map(({ id }) => id);
}

/** Every path below the home with what a change of it changes. */
function snapshot({ home }: Rig): Record<string, string> {
  const names = readdirSync(home.path, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const { mode, size, mtimeMs, ino } = lstatSync(join(home.path, name));
      return [name, `${mode} ${size} ${mtimeMs} ${ino}`];
    }),
  );
}

test('a doctor that is not told to fix changes nothing, and starts no daemon', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { command: ['/bin/sleep', '1000'] } });
  await rig.killDaemon();
  const before = snapshot(rig);
  const { findings, exitCode } = await diagnose(rig);
  assert.deepEqual(snapshot(rig), before);
  const [absence] = findings.filter(({ id }) => id === 'daemon-not-running');
  assert.deepEqual(absence?.evidence['services'], ['api']);
  assert.equal(exitCode, 8);
});

test('an empty home is healthy, and stays empty', async () => {
  await using rig = await Rig.create({ hasDaemon: false });
  const diagnosis = await diagnose(rig);
  assert.deepEqual(ids(diagnosis), []);
  assert.equal(diagnosis.way, 'on-demand');
  assert.equal(existsSync(rig.home.path), false);
});

test('--fix closes the home and removes what a dead daemon left; the second run is clean', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { command: ['/bin/sleep', '1000'] } });
  await rig.request({ kind: 'delete', services: 'all' });
  await rig.killDaemon();
  chmodSync(rig.folder, 0o755);
  chmodSync(rig.home.path, 0o755);
  chmodSync(rig.home.state, 0o644);
  const ghost = join(rig.home.path, 'run/ghost.0.1.abc');
  mkdirSync(ghost);
  writeFileSync(join(ghost, 'journal'), 'shim 999999 1 - 0\n', { mode: 0o600 });
  const sick = ['home-readable', 'stale-socket', 'orphaned-run-folder'];
  assert.deepEqual(ids(await diagnose(rig)), sick);
  const { fixed, ...after } = await diagnose(rig, '--fix');
  assert.deepEqual(
    fixed.map(({ id }) => id),
    sick,
  );
  assert.deepEqual(ids({ fixed, ...after }), []);
  assert.equal(existsSync(ghost), false);
  assert.equal(lstatSync(rig.home.path).mode & 0o777, 0o700);
  assert.deepEqual(ids(await diagnose(rig)), []);
});

test('what runs is compared with what is wanted, with a daemon and without', async () => {
  await using rig = await Rig.create();
  const port = await freePort();
  const web = { script: app('serves-http.cjs'), env: { PORT: String(port) }, port };
  await rig.up({ web });
  rig.write('.nvmrc', '99');
  rig.write('upkeep.config.json', JSON.stringify({ services: { web: { ...web, stop: { grace: '3s' } } } }));
  const about = ({ findings }: Diagnosis): unknown[] =>
    findings
      .filter(({ id }) => ['node-version', 'config-differs'].includes(id))
      .map(({ id, evidence }) => [id, evidence['range'] ?? evidence['keys']]);
  const expected = [
    ['node-version', '99'],
    ['config-differs', ['stop.graceMs']],
  ];
  assert.deepEqual(about(await diagnose(rig)), expected);
  await rig.killDaemon();
  assert.deepEqual(about(await diagnose(rig)), expected);
});

test('the report is for people unless JSON is asked for', async () => {
  await using rig = await Rig.create();
  await rig.up({ api: { command: ['/bin/sleep', '1000'] } });
  const { stdout } = await rig.cli('doctor');
  assert.match(stdout, /not-started-at-boot: .*\n {4}fix: upkeep boot install/);
  assert.match(stdout, new RegExp(`upkeep runs on demand \\(home ${rig.home.path}\\)`));
});

/**
 * The disk is full for a minute during a storm (needs root, for a tmpfs): nobody exits, every lost line is counted, all recovers.
 *
 * The home lies on a small tmpfs, which something else fills to its last byte. Two services, with two instances and with one, go on
 * numbering their lines on stdout and stderr. Then the space is there again, and nobody does anything. What is missing in
 * the numbers must be what the log says at this very place, what `upkeep events` says, and what `upkeep show` says.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LogFiles, LogSegment, STREAMS, type StreamName } from '../../src/logs/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';

interface Tally {
  readonly origin: string;
  /** As the program says itself. */
  readonly written: number;
  found: number;
  /** As the log says. */
  told: number;
  /** Gaps in the numbers of which the log says something else. */
  wrong: string[];
}

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const fullMs = Math.max(5000, 60_000 * Number(values.scale));
const DISK_MIB = 512;
const STORM_MS = 3000;
const LOOK_MS = 20;
const SERVICES = { pair: 2, single: 1 };

if (process.getuid?.() !== 0) {
  console.error('Cannot fill a disk: this proof needs root, for a tmpfs of its own');
  process.exit(1);
}
const rig = await Rig.create({ hasDaemon: false });
rig.env['UPKEEP_LOGS_MAX'] = '1GB'; // a tenth of so small a disk would not hold what is compared
mkdirSync(rig.home.path);
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'upkeep-proof', rig.home.path]);
try {
  await prove();
} finally {
  await rig.request({ kind: 'delete', services: 'all' });
  await rig.client.call('stopDaemon');
  await rig.until('nobody uses the disk', () => rig.processes().length === 0);
  execFileSync('umount', [rig.home.path]);
  await rig[Symbol.asyncDispose]();
}

async function prove(): Promise<void> {
  await rig.startDaemon();
  const script = fileURLToPath(new URL('apps/counted.js', import.meta.url));
  const reports = join(rig.folder, 'reports');
  mkdirSync(reports);
  const services = Object.entries(SERVICES).map(([name, instances]) => {
    return [name, { script, instances, env: { REPORTS: reports }, logs: { maxTotal: '400MB' } }] as const;
  });
  assertSucceeded(await rig.up(Object.fromEntries(services)));
  const before = await processes();
  const { pid } = await rig.client.call('daemon');
  await sleep(STORM_MS);

  const ballast = join(rig.home.path, 'ballast');
  fill(ballast);
  let looks = 0;
  for (const end = performance.now() + fullMs; performance.now() < end; looks++) {
    for (const each of [pid, ...before.map((process) => process.pid)])
      assert.ok(rig.lives(each!), `${each} lives`);
    await sleep(LOOK_MS);
    if (looks % 50 === 0) fill(ballast);
  }
  rmSync(ballast);
  const spaceAt = performance.now();
  await rig.until('all of them say what is missing', () => logsOfAll().every(saysWhatIsMissing), 60_000);
  const recoveryMs = performance.now() - spaceAt;
  await sleep(STORM_MS);
  assert.deepEqual(await processes(), before, 'the same attempts, the same processes');
  assert.equal((await rig.client.call('daemon')).pid, pid, 'the same daemon');
  assertSucceeded(await rig.request({ kind: 'stop', services: 'all' }));

  const all = tallies(reports, true);
  console.log(
    `full for ${fullMs / 1000} s: ${before.length} processes and the daemon lived in ${looks} looks`,
  );
  for (const { origin, written, found, told, wrong } of all) {
    console.log(
      `  ${origin.padEnd(14)} ${written} lines written, ${found} in the log, ${told} told missing there`,
    );
    assert.deepEqual(wrong, [], 'each gap is told, at its place');
    assert.equal(found + told, written);
    assert.ok(told > 0);
  }
  await compareWithEventsAndShow(all);
  console.log(`the last of them wrote again ${Math.round(recoveryMs)} ms after there was space`);
}

async function compareWithEventsAndShow(all: readonly Tally[]): Promise<void> {
  for (const name of Object.keys(SERVICES)) {
    const own = all.filter(({ origin }) => origin.startsWith(`${name}.`));
    const missing = own.reduce((sum, { told }) => sum + told, 0);
    const { logs } = await rig.client.call('service', { params: { name } });
    const latest = new Map<string, number>();
    for (const event of await rig.events(name)) {
      const [, instance, lines, stream] =
        event.type === 'warning'
          ? (/^instance (\d+): (\d+) lines? .* of std(out|err) could not/.exec(event.message) ?? [])
          : [];
      if (instance !== undefined) latest.set(`${name}.${instance}.${stream}`, Number(lines));
    }
    const inEvents = [...latest.values()].reduce((sum, lines) => sum + lines, 0);
    console.log(`  ${name}: ${missing} missing, ${inEvents} by the events, ${logs.lostLines} by show`);
    assert.deepEqual([inEvents, logs.lostLines], [missing, missing]);
    for (const { origin, told } of own) assert.equal(latest.get(origin), told, origin);
  }
}

async function processes() {
  const views = await rig.client.call('services');
  return views.flatMap(({ name, instances }) =>
    instances.map(({ index, attempt, pid }) => ({ name, index, attempt, pid })),
  );
}

/** To the last byte that the file system gives. */
function fill(path: string): void {
  const fd = openSync(path, 'a');
  const { bsize } = statfsSync(rig.home.path);
  try {
    for (let bytes = 1024 * 1024; bytes >= 1; bytes = bytes > bsize ? bsize : Math.floor(bytes / 2))
      for (;;) if (writeSync(fd, Buffer.alloc(bytes)) < bytes) break;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
}

function logsOfAll(): string[] {
  return Object.keys(SERVICES).flatMap((name) =>
    STREAMS.map((stream) => new LogFiles(join(rig.home.path, 'logs', name), stream).path()),
  );
}

/** Also the shims of all instances that share it. */
function saysWhatIsMissing(path: string): boolean {
  const name = basename(dirname(path)) as keyof typeof SERVICES;
  const { status, stdout } = spawnSync('grep', ['-c', '^upkeep: .* missing here: ', path], {
    encoding: 'utf8',
  });
  return status === 0 && Number(stdout) >= SERVICES[name];
}

function tallies(reports: string, isOver: boolean): Tally[] {
  return Object.entries(SERVICES).flatMap(([name, instances]) =>
    STREAMS.flatMap((stream) =>
      readTallies(name, stream, instances, (origin) => {
        const path = join(reports, origin);
        return isOver && existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
      }),
    ),
  );
}

function readTallies(
  name: string,
  stream: StreamName,
  instances: number,
  writtenBy: (origin: string) => number,
): Tally[] {
  const all = Array.from({ length: instances }, (_, instance): Tally => {
    const origin = `${name}.${instance}.${stream}`;
    return { origin, written: writtenBy(origin), found: 0, told: 0, wrong: [] };
  });
  const next = Array<number>(instances).fill(0);
  /** Told, and not yet seen as a gap in the numbers. */
  const open = Array<number>(instances).fill(0);
  for (const { instance, line } of linesOf(join(rig.home.path, 'logs', name), stream)) {
    const tally = all[instance]!;
    const [, missing] = /^upkeep: (\d+) lines? \(\d+ bytes\) (?:is|are) missing here: /.exec(line) ?? [];
    if (missing !== undefined) {
      tally.told += Number(missing);
      open[instance]! += Number(missing);
      continue;
    }
    const number = Number(/^\S+ (\d+) x+$/.exec(line)?.[1] ?? NaN);
    const gap = number - next[instance]!;
    if (gap !== open[instance])
      tally.wrong.push(`${gap} are missing before "${line.slice(0, 40)}", ${open[instance]} were told`);
    open[instance] = 0;
    next[instance] = number + 1;
    tally.found++;
  }
  return all;
}

function* linesOf(folder: string, stream: StreamName): Generator<{ instance: number; line: string }> {
  const files = new LogFiles(folder, stream);
  for (const number of files.numbers().reverse()) {
    const segment = LogSegment.open(files, number);
    if (!segment) continue;
    for (let pieces = segment.read(); pieces.length > 0; pieces = segment.read())
      for (const { run, lines } of pieces)
        for (const line of lines.toString().trimEnd().split('\n')) yield { instance: run!.instance, line };
    segment.close();
  }
}

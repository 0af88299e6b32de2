/**
 * 2 GB in files of 10 MB, ten kill -9 of the daemon and of the archiver: byte for byte what was written, and never above a cap.
 *
 * Two services write as fast as they can. Of one, all files are kept: joined and decompressed they must have the SHA-256 that the
 * program says itself, stdout and stderr. The other has a cap of 60 MB, and the sizes of its files are summed up all the time.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { LogFiles, STREAMS } from '../../src/logs/index.js';
import { formatBytes } from '../../src/util/index.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';

interface Written {
  readonly sha256: string;
  readonly bytes: number;
}

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const BYTES = Math.max(50e6, 2e9 * scale);
const KILLS = Math.max(1, Math.round(10 * scale));
const FILE_BYTES = 10 * 1024 ** 2;
const CAP_BYTES = 60 * 1024 ** 2;
const LONGEST_PAUSE_MS = 4000;
const LOOK_MS = 10;

await using rig = await Rig.create();
const script = fileURLToPath(new URL('apps/hashed.js', import.meta.url));
const report = (name: string): string => join(rig.folder, `${name}.report`);
const env = (name: string) => ({ BYTES: String(BYTES), REPORT: report(name) });
assertSucceeded(
  await rig.up({
    whole: { script, env: env('whole'), logs: { maxSize: FILE_BYTES, maxTotal: '20GB', maxFiles: 10_000 } },
    capped: { script, env: env('capped'), logs: { maxSize: FILE_BYTES, maxTotal: CAP_BYTES } },
  }),
);
const folder = async (name: string): Promise<string> =>
  dirname((await rig.client.call('service', { params: { name } })).logs.out);
const folders = { whole: await folder('whole'), capped: await folder('capped') };
const before = await attempts();
const watch = watchSize(folders.capped);

let daemonKills = 0;
let archiverKills = 0;
const isWritten = (): boolean => ['whole', 'capped'].every((name) => existsSync(report(name)));
while (daemonKills < KILLS || !isWritten()) {
  await sleep(Math.random() * LONGEST_PAUSE_MS);
  if (daemonKills < KILLS || !isWritten()) {
    await rig.killDaemon();
    await rig.startDaemon();
    daemonKills++;
  }
}
while (archiverKills < KILLS) {
  const pid = await rig.until('the archiver works', () => archiver(), 120_000);
  await sleep(Math.random() * 300);
  hurry(pid);
  if (archiver() !== pid) continue; // it was quicker
  process.kill(pid, 'SIGKILL');
  archiverKills++;
}
assert.deepEqual(await attempts(), before, 'both are still on the first attempt');
await rig.until(
  'all is compressed',
  () => {
    hurry(archiver());
    return plainFiles(folders.whole) === 0;
  },
  600_000,
);
const { largest, looks } = watch.end();

console.log(`${daemonKills} times the daemon was killed, ${archiverKills} times the archiver`);
const written = JSON.parse(readFileSync(report('whole'), 'utf8')) as Record<string, Written>;
for (const stream of STREAMS) {
  const files = new LogFiles(folders.whole, stream);
  const { sha256, bytes } = await joined(files);
  const expected = written[stream]!;
  console.log(
    `std${stream}: ${formatBytes(expected.bytes)} in ${files.numbers().length} files, SHA-256 ${sha256 === expected.sha256 ? 'equal' : 'DIFFERENT'}`,
  );
  assert.deepEqual([sha256, bytes], [expected.sha256, expected.bytes]);
}
console.log(
  `with a cap of ${formatBytes(CAP_BYTES)}: at most ${formatBytes(largest)} in ${looks} looks while ${formatBytes(BYTES)} were written`,
);
assert.ok(largest <= CAP_BYTES + FILE_BYTES);

async function attempts(): Promise<(number | null)[][]> {
  const views = await rig.client.call('services');
  return views.flatMap(({ instances }) => instances.map(({ attempt, pid }) => [attempt, pid]));
}

/** Looks again and again how much a folder takes. */
function watchSize(path: string): { end(): { largest: number; looks: number } } {
  let [largest, looks] = [0, 0];
  const timer = setInterval(() => {
    looks++;
    largest = Math.max(largest, folderBytes(path));
  }, LOOK_MS);
  return {
    end: () => {
      clearInterval(timer);
      return { largest, looks };
    },
  };
}

/** A file that is renamed meanwhile may be counted twice or not at all; another look is close. */
function folderBytes(path: string): number {
  if (!existsSync(path)) return 0;
  const seen = new Map<number, number>();
  for (const name of readdirSync(path)) {
    const stat = statSync(join(path, name), { throwIfNoEntry: false });
    if (stat) seen.set(stat.ino, stat.size);
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** It works below the home of this proof; a process says what it was started for in its lock file. */
function archiver(): number | undefined {
  const lock = statSync(join(rig.home.path, 'run', 'archiver.lock'), { throwIfNoEntry: false });
  if (!lock) return undefined;
  const [, pid] =
    new RegExp(`FLOCK +ADVISORY +WRITE (\\d+) [0-9a-f]+:[0-9a-f]+:${lock.ino} `).exec(
      readFileSync('/proc/locks', 'utf8'),
    ) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** Beside other work the lowest priority may come to nothing for minutes; only root may give it another one. */
function hurry(pid: number | undefined): void {
  if (pid === undefined || process.getuid?.() !== 0) return;
  try {
    setPriority(pid, 0);
    writeFileSync(`/proc/${pid}/autogroup`, '0');
  } catch {
    // it has ended, or the kernel has no autogroups
  }
}

function plainFiles(path: string): number {
  return readdirSync(path).filter((name) => /\.log\.\d+$/.test(name)).length;
}

async function joined(files: LogFiles): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const count = async (source: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  };
  for (const number of files.numbers().reverse()) {
    const isPlain = existsSync(files.path(number));
    if (isPlain) await pipeline(createReadStream(files.path(number)), count);
    else await pipeline(createReadStream(files.archivePath(number)), createGunzip(), count);
  }
  return { sha256: hash.digest('hex'), bytes };
}

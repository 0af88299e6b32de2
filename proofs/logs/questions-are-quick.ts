/**
 * Questions to 10 GB of logs in 50 files begin to be answered within 300 ms, and are searched faster than 300 MB/s.
 *
 * Each question is a command of its own, from its start to its first byte, beside `node -e 0` in the same rounds; searches stand
 * beside grep and zgrep over the same files. The memory is the peak of the command and of the daemon's child. Shorter than half
 * the scale, only what is answered and the memory are judged.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../src/util/index.js';
import { readCommand } from '../../src/system/index.js';
import { CLI } from '../../test/rig/paths.js';
import { assertSucceeded, Rig } from '../../test/rig/index.js';
import { NEEDLE, serviceFolder, writeLargeLog } from './support/large-logs.js';

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const scale = Number(values.scale);
const isTimed = scale >= 0.5;
const SERVICES = Array.from({ length: 10 }, (_, index) => `service-${index}`);
const FILES = 5;
const FILE_BYTES = Math.max(3e6, 200e6 * scale);
const ARCHIVED = 3;
const ROUNDS = isTimed ? 9 : 2;
const DAY_MS = 86_400_000;
const MAX_FIRST_MS = 300;
/** On a machine that is busy with other work a Node.js alone takes longer than that. */
const MAX_FIRST_RATIO = 5;
const MIN_BYTES_PER_SECOND = 300e6;
const MAX_RSS_BYTES = 100e6;
/** The archiver of a daemon looks once, a little after it has begun. */
const ARCHIVER_MS = 8000;

await using rig = await Rig.create({ hasDaemon: false });
rig.env['UPKEEP_LOGS_MAX'] = '100GB';
await rig.startDaemon();
const logs = { maxSize: '50GB', maxTotal: '100GB', compress: false };
const job = { command: ['/bin/sh', '-c', 'exit 3'], restart: 'never' as const, logs };
assertSucceeded(await rig.up(Object.fromEntries(SERVICES.map((name) => [name, job]))));
for (const name of SERVICES) await rig.untilInstance(name, ({ exit }) => exit?.code === 3);
await sleep(ARCHIVER_MS);
const to = Date.now();
for (const [index, name] of SERVICES.entries()) {
  const folder = serviceFolder(rig.home.path, name);
  const isArchived = index < ARCHIVED;
  writeLargeLog({ folder, files: FILES, fileBytes: FILE_BYTES, from: to - DAY_MS, to, isArchived });
}
const totalBytes = SERVICES.length * FILES * FILE_BYTES;
console.log(`${formatBytes(totalBytes)} in ${SERVICES.length * FILES} files, ${ARCHIVED} of them compressed`);

interface Asked {
  readonly firstMs: number;
  readonly tookMs: number;
  readonly lines: number;
  readonly cliBytes: number;
  readonly childBytes: number;
}

const QUICK: Readonly<Record<string, readonly string[]>> = {
  // Not `5m`: it may take longer than that to make the files.
  'all services, --since 5m': ['logs', '--since', new Date(to - 5 * 60_000).toISOString()],
  '--around exit': ['logs', 'service-4', '--around', 'exit'],
  '--around 20h, of all services': ['logs', '--around', new Date(to - 20 * 3_600_000).toISOString()],
  'the last 20': ['logs'],
};
const firstMs = new Map<string, number[]>();
const bareMs: number[] = [];
const peak = { command: 0, child: 0 };
await ask(['logs']); // what is read by all of them is in memory
for (let round = 0; round < ROUNDS; round++) {
  bareMs.push((await measure(process.execPath, ['-e', '0'])).tookMs);
  for (const [what, args] of Object.entries(QUICK)) {
    const asked = await ask(args);
    assert.ok(asked.lines > 0, `${what}: something is answered`);
    firstMs.set(what, [...(firstMs.get(what) ?? []), asked.firstMs]);
    notePeak(asked);
  }
}
const bare = median(bareMs);
console.log(`node -e 0: ${bare.toFixed(0)} ms (median of ${ROUNDS})`);
for (const [what, all] of firstMs)
  console.log(
    `${what}: begins to print after ${median(all).toFixed(0)} ms (median; ${Math.min(...all).toFixed(0)} to ` +
      `${Math.max(...all).toFixed(0)}), ${(median(all) / bare).toFixed(1)} x node -e 0`,
  );

const SEARCHES: Readonly<Record<string, { pattern: string; flags: readonly string[]; isJudged: boolean }>> = {
  'a text': { pattern: NEEDLE, flags: ['-F'], isJudged: true },
  'an expression with a text': { pattern: 'needle (that|which) is l.*d', flags: ['-E'], isJudged: true },
  'an expression without': { pattern: '[n]eedle [t]hat', flags: ['-E'], isJudged: true },
};
const speeds: { what: string; bytesPerSecond: number; ratio: number }[] = [];
for (const [what, { pattern, flags }] of Object.entries(SEARCHES)) {
  const peer = await grep(pattern, flags);
  const asked = await ask(['logs', '--since', '30d', '--grep', pattern]);
  assert.equal(asked.lines, SERVICES.length * FILES, `${what} is found once in each file`);
  notePeak(asked);
  speeds.push({ what, bytesPerSecond: totalBytes / (asked.tookMs / 1000), ratio: peer / asked.tookMs });
}
for (const { what, bytesPerSecond, ratio } of speeds)
  console.log(`--grep with ${what}: ${formatBytes(bytesPerSecond)}/s, ${ratio.toFixed(2)} of grep and zgrep`);
console.log(
  `peak memory: command ${formatBytes(peak.command)}, child of the daemon ${formatBytes(peak.child)}`,
);
assert.ok(Math.max(peak.command, peak.child) < MAX_RSS_BYTES, 'memory');
if (isTimed) {
  const most = Math.max(MAX_FIRST_MS, MAX_FIRST_RATIO * bare);
  for (const [what, all] of firstMs) assert.ok(median(all) <= most, what);
  for (const { what, bytesPerSecond } of speeds) assert.ok(bytesPerSecond >= MIN_BYTES_PER_SECOND, what);
}

function notePeak({ cliBytes, childBytes }: Asked): void {
  peak.command = Math.max(peak.command, cliBytes);
  peak.child = Math.max(peak.child, childBytes);
}

function ask(args: readonly string[]): Promise<Asked> {
  return measure(process.execPath, [CLI, ...args]);
}

async function measure(program: string, args: readonly string[]): Promise<Asked> {
  const begunAt = performance.now();
  const child = spawn(program, args, { env: rig.env, stdio: ['ignore', 'pipe', 'inherit'] });
  let first: number | undefined;
  let [lines, cliBytes, childBytes] = [0, 0, 0];
  const watch = setInterval(() => {
    cliBytes = Math.max(cliBytes, peakOf(child.pid!));
    childBytes = Math.max(childBytes, ...queries().map(peakOf));
  }, 50);
  for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
    first ??= performance.now() - begunAt;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
  }
  clearInterval(watch);
  const tookMs = performance.now() - begunAt;
  return { firstMs: first ?? tookMs, tookMs, lines, cliBytes, childBytes };
}

/** How long it takes over the same files, in milliseconds. */
async function grep(pattern: string, flags: readonly string[]): Promise<number> {
  const folders = SERVICES.map((name) => serviceFolder(rig.home.path, name));
  const files = folders.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)));
  const plain = files.filter((file) => /\.log(\.\d+)?$/.test(file));
  const { tookMs } = await measure('grep', [...flags, '-h', pattern, ...plain]);
  const archived = files.filter((file) => file.endsWith('.gz'));
  return tookMs + (await measure('zgrep', [...flags, '-h', pattern, ...archived])).tookMs;
}

function queries(): number[] {
  const pids = rig.processes().map(({ pid }) => pid);
  return pids.filter((pid) => readCommand(pid)?.includes('log-query.js'));
}

/** Resident memory, bytes; 0: it has ended. */
function peakOf(pid: number): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function median(all: readonly number[]): number {
  return all.toSorted((one, other) => one - other)[all.length >> 1]!;
}

/**
 * `npm run bench [-- --quick] [--only upkeep,pm2] [--measure cli-latency]`: the figures of FIGURES side by side with
 * bare processes, PM2 and supervisord on this machine, one measure after the other with the peers in turn, so that
 * they share whatever else the machine does. README.md says how each is measured.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ROOT, run } from '../scripts/setup.mjs';
import { tableOf } from './figures.mjs';

const PEERS = ['bare', 'upkeep', 'pm2', 'supervisor'];
const MANAGERS = ['upkeep', 'pm2'];

/** Sizes and repetitions are what lib.sh documents; `quick` proves that the harness works, not more. */
const MEASURES = {
  'cli-latency': {
    peers: MANAGERS,
    full: { SIZES: '1 50 200', RUNS: 25 },
    quick: { SIZES: '1 50', RUNS: 5 },
  },
  'first-answer': { peers: ['bare', ...MANAGERS], full: { REPS: 7 }, quick: { REPS: 3 } },
  'start-many': {
    peers: ['bare', ...MANAGERS],
    full: { SIZES: '100 300', REPS: 3 },
    quick: { SIZES: '100', REPS: 1 },
  },
  memory: {
    peers: [...MANAGERS, 'supervisor'],
    full: { SIZES: '0 100 300', SETTLE_SECONDS: 20, IDLE_SECONDS: 60 },
    quick: { SIZES: '0 100', SETTLE_SECONDS: 2, IDLE_SECONDS: 10 },
  },
  'log-storm': {
    peers: PEERS,
    full: { STORMS: '1x1000000 10x200000', REPS: 5 },
    quick: { STORMS: '1x100000 10x20000', REPS: 1 },
  },
  'app-memory': { peers: PEERS, full: {}, quick: {} },
};

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, measure: { type: 'string' } },
});
const work = process.env.BENCH_WORK ?? join(tmpdir(), 'upkeep-bench');
const recordsFile = join(work, 'records.jsonl');
const adapters = PEERS.filter(
  (peer) => (!options.only || options.only.split(',').includes(peer)) && isHere(peer),
);
const measures = Object.keys(MEASURES).filter((name) => !options.measure || name === options.measure);

mkdirSync(work, { recursive: true });
rmSync(recordsFile, { force: true });
if (adapters.includes('pm2')) installPm2();
if (adapters.includes('upkeep')) ensureBuilt();
for (const measure of measures) {
  for (const adapter of adapters.filter((peer) => MEASURES[measure].peers.includes(peer))) {
    runMeasure(measure, adapter);
  }
}
report();

function runMeasure(measure, adapter) {
  console.log(`\n── ${measure}, ${adapter} ──`);
  const sizes = MEASURES[measure][options.quick ? 'quick' : 'full'];
  const env = { ...process.env, ...sizes, BENCH_WORK: work, BENCH_RECORDS: recordsFile };
  const code = run('bash', [join(ROOT, 'bench/measures', `${measure}.sh`), adapter], { env });
  if (code !== 0) console.log(`${measure} of ${adapter} ended with ${code}`);
}

function report() {
  const lines = existsSync(recordsFile) ? readFileSync(recordsFile, 'utf8').trim().split('\n') : [];
  const records = {};
  for (const record of lines.map((line) => JSON.parse(line))) {
    records[record.adapter] ??= {};
    records[record.adapter][record.figure] = record.median;
  }
  const file = join(ROOT, 'bench/results', `${new Date().toISOString().replaceAll(':', '-')}.json`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ machine: machine(), records: lines.map((line) => JSON.parse(line)) }, null, 2)}\n`,
  );
  console.log(`\n${JSON.stringify(machine())}\n`);
  console.log(toText(tableOf(records, adapters)));
  console.log(`\nMedians; all values: ${file}`);
}

function machine() {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    load: loadavg()[0].toFixed(2),
  };
}

function toText(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (text, column) => (column < 2 ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function isHere(peer) {
  const isMissing = peer === 'supervisor' && spawnSync('supervisord', ['--version']).error !== undefined;
  if (isMissing) console.log('supervisord is not installed (Debian: supervisor): left out');
  return !isMissing;
}

/** Outside of the repository; its sources are nobody's business here (AGPL). */
function installPm2() {
  const folder = join(work, 'pm2');
  if (existsSync(join(folder, 'node_modules/.bin/pm2'))) return;
  console.log(`Installing PM2 in ${folder}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const code = run('npm', ['install', '--silent', '--no-fund', '--no-audit', 'pm2@7'], { cwd: folder });
  if (code !== 0) process.exit(code);
}

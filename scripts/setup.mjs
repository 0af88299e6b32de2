/**
 * What every script needs before its own work: the locked dependencies, and a `dist/` that is as new as the sources.
 * Uses only Node itself, because it runs on a fresh clone.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Written by build.mjs as its last act. */
export const BUILD_STAMP = join(ROOT, 'dist/.built');

const [MAJOR, MINOR] = process.versions.node.split('.').map(Number);
/** Node has it from 20.14, 22.1 and 23 on. */
const KNOWS_FORCE_EXIT = MAJOR > 22 || MINOR >= ({ 20: 14, 22: 1 }[MAJOR] ?? Infinity);
/** A failed test may leave a timer, a socket or a watch behind, for which its file would be waited for. */
const FORCE_EXIT = KNOWS_FORCE_EXIT ? ['--test-force-exit'] : [];

/** Of a whole file (Node 20), several times what the longest one takes: what hangs is named, and the others still run. */
const LONGEST_MS = 600_000;

/** Arguments of node; the files to test follow. */
export const TEST_RUNNER = [
  ...['--import', 'tsx', '--test', `--test-timeout=${LONGEST_MS}`, ...FORCE_EXIT],
  ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
  ...(process.env.CI === 'true'
    ? ['--test-reporter=./scripts/no-skips.mjs', '--test-reporter-destination=stderr']
    : []),
];

const BUILT_FROM = ['src', 'scripts/build.mjs', 'scripts/openapi.mjs', 'package.json', 'tsconfig.json'];

export function ensureInstalled() {
  const installed = changedAt(join(ROOT, 'node_modules/.package-lock.json'));
  if (installed >= changedAt(join(ROOT, 'package-lock.json'))) return;
  // npm would empty what the link leads to, which another checkout works with.
  if (lstatSync(join(ROOT, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return;
  console.log('Installing the locked dependencies (npm ci)');
  orExit(run('npm', ['ci', '--loglevel=error'], { stdio: ['ignore', 'ignore', 'inherit'] }));
}

export function ensureBuilt() {
  ensureInstalled();
  if (changedAt(BUILD_STAMP) >= newest(BUILT_FROM)) return;
  orExit(run(process.execPath, ['scripts/build.mjs']));
}

/** Runs a program in the root folder of the repository and answers its exit code, as a shell would. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error) console.error(`Cannot run "${command}": ${error.message}`);
  return status ?? (signal ? 128 : 127);
}

/** The same beside other work; `output` is what a terminal would have shown. */
export function runQuietly(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 127, output: error.message, stdout }));
    child.on('close', (code) => resolve({ code: code ?? 128, output, stdout }));
  });
}

/** Every file below a folder of the repository, as paths relative to the root; none if it does not exist. */
export function filesUnder(folder) {
  if (!statSync(join(ROOT, folder), { throwIfNoEntry: false })?.isDirectory()) return [];
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length + 1))
    .sort();
}

function orExit(code) {
  if (code !== 0) process.exit(code);
}

/** A folder counts too: its time changes when a file is deleted. */
function newest(paths) {
  const all = paths.flatMap((path) => [
    path,
    ...filesUnder(path).flatMap((file) => [file, join(file, '..')]),
  ]);
  return Math.max(...all.map((path) => changedAt(join(ROOT, path))));
}

function changedAt(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

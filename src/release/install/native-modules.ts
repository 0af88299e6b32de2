/**
 * Native modules that the Node of the services cannot load are found before anything is started. A package may well go on without
 * its own, so this is told and does not end the release: whether the application bears it is seen when it boots.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, type Dirent } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { ReleaseCheck } from '../../protocol/index.js';
import type { NodeFacts } from './node-of.js';

const run = promisify(execFile);
const LOAD_MS = 10_000;
const LOAD = 'process.dlopen({ exports: {} }, process.argv[1])';
const BUILT = join('build', 'Release');
/** Loaded by several threads, or a second time, they say so, although nothing is wrong. */
const HARMLESS = /did not self-register/;

export async function judgeNatives(release: string, node: string, facts: NodeFacts): Promise<ReleaseCheck[]> {
  const checks: ReleaseCheck[] = [];
  for (const package_ of packagesIn(join(release, 'node_modules'))) {
    if (!existsSync(join(package_, 'binding.gyp'))) continue;
    const what = relative(release, package_);
    const built = filesIn(join(package_, BUILT)).filter((name) => name.endsWith('.node'));
    if (built.length === 0 && !bringsOthers(package_)) checks.push(notBuilt(what));
    for (const name of built) {
      const problem = await whyUnloadable(node, join(package_, BUILT, name));
      if (problem !== undefined) checks.push(unloadable(join(what, BUILT, name), node, facts, problem));
    }
  }
  return checks;
}

/** Those with names and scopes; those of pnpm lie in its own folder. */
function* packagesIn(modules: string): Generator<string> {
  for (const entry of entriesIn(modules)) {
    if (!entry.isDirectory()) continue;
    const path = join(modules, entry.name);
    if (entry.name.startsWith('@')) yield* packagesIn(path);
    else if (entry.name === '.pnpm')
      for (const own of filesIn(path)) yield* packagesIn(join(path, own, 'node_modules'));
    else if (!entry.name.startsWith('.')) {
      yield path;
      yield* packagesIn(join(path, 'node_modules'));
    }
  }
}

/** Built beforehand for many systems, or found elsewhere: the package chooses when it is loaded. */
function bringsOthers(package_: string): boolean {
  return ['prebuilds', 'lib/binding', 'bin'].some((name) => existsSync(join(package_, name)));
}

async function whyUnloadable(node: string, path: string): Promise<string | undefined> {
  try {
    await run(node, ['-e', LOAD, path], { timeout: LOAD_MS, env: {} });
    return undefined;
  } catch (error) {
    const text = String((error as { stderr?: string }).stderr ?? '');
    if (HARMLESS.test(text)) return undefined;
    const abi = /NODE_MODULE_VERSION (\d+)/.exec(text)?.[1];
    if (abi !== undefined) return `it was built for ABI ${abi}`;
    return /^Error: (.+)$/m.exec(text)?.[1]?.replace(`${path}: `, '') ?? 'loading it ends the process';
  }
}

function unloadable(path: string, node: string, { version, abi }: NodeFacts, problem: string): ReleaseCheck {
  return {
    stage: 'install',
    name: 'install: native module',
    verdict: 'warned',
    text: `"${path}" does not load with ${node} (${version}, ABI ${abi}): ${problem}`,
    hint: 'install on this host by the lockfile (install: npm), or build with the Node of the service',
  };
}

function notBuilt(path: string): ReleaseCheck {
  return {
    stage: 'install',
    name: 'install: native module',
    verdict: 'warned',
    text: `"${path}" is a native module, and was not built`,
    hint: 'see whether its install script is allowed to run: npm install-scripts ls',
  };
}

function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // there is none
  }
}

function filesIn(folder: string): string[] {
  return entriesIn(folder).map(({ name }) => name);
}

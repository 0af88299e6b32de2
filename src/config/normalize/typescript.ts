/** Whether a Node.js binary runs TypeScript by itself, and the loader where it does not. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const versions = new Map<string, Promise<string>>();

/** Arguments for `node` before a TypeScript file; without a folder only the loader that comes with upkeep is looked at. */
export async function typescriptArgs(node: string, cwd: string | null): Promise<string[]> {
  if (stripsTypes(await nodeVersion(node))) return [];
  const own = cwd === null ? undefined : findLoader(join(cwd, 'package.json'));
  const loader = own ?? findLoader(import.meta.url);
  return loader === undefined ? [] : ['--import', pathToFileURL(loader).href];
}

/** Types are stripped without a flag from 22.18 and 23.6 on. */
export function stripsTypes(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

function nodeVersion(node: string): Promise<string> {
  if (node === process.execPath) return Promise.resolve(process.version);
  const known = versions.get(node) ?? askVersion(node);
  versions.set(node, known);
  return known;
}

async function askVersion(node: string): Promise<string> {
  const { stdout } = await run(node, ['--version'], { timeout: 5000 }).catch(() => ({ stdout: '' }));
  return stdout.trim();
}

function findLoader(from: string): string | undefined {
  try {
    return createRequire(from).resolve('tsx');
  } catch {
    return undefined; // not installed there
  }
}

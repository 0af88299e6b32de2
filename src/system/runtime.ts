/** Whether a program is Node.js, or a script that Node.js runs, and which version. */
import { execFile } from 'node:child_process';
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NODE_NAME = /^node(?:js)?(?:-?\d[\d.]*)?$/;

/** As execvp would find it; undefined: not there. */
export function locate(argv0: string, cwd: string, searchPath: string | undefined): string | undefined {
  if (argv0.includes('/')) return isAbsolute(argv0) ? argv0 : join(cwd, argv0);
  const folders = (searchPath ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
  return folders
    .map((folder) => join(folder, argv0))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** By its name, or by the first line of the script that it is (npm, npx, next, …). */
export function isNodeProgram(path: string): boolean {
  return isNodeBinary(path) || NODE_NAME.test(basename(shebangProgram(path) ?? ''));
}

/** By its name alone. */
export function isNodeBinary(path: string): boolean {
  return NODE_NAME.test(basename(path));
}

function shebangProgram(path: string): string | undefined {
  const words = /^#!\s*(\S+)(?:\s+(\S.*))?/.exec(readHead(path));
  if (!words) return undefined;
  if (basename(words[1]!) !== 'env') return words[1];
  return words[2]?.split(/\s+/).find((word) => !word.startsWith('-') && !word.includes('='));
}

function readHead(path: string): string {
  const head = Buffer.alloc(256);
  try {
    const fd = openSync(path, 'r');
    const length = readSync(fd, head);
    closeSync(fd);
    return head.toString('latin1', 0, length);
  } catch {
    return ''; // missing, or not readable for us
  }
}

/** A binary that does not tell is taken for a new one. */
const UNKNOWN = Infinity;
const versions = new Map<string, number>();

/** Asks the binary, once, for the first number of its version. */
export async function learnNodeMajor(path: string): Promise<void> {
  const key = binaryKey(path);
  if (key === undefined || knownNodeMajor(path) !== undefined) return;
  const { stdout } = await run(path, ['--version'], { timeout: 5000 }).catch(() => ({ stdout: '' }));
  versions.set(key, Number(/^v(\d+)\./.exec(stdout)?.[1] ?? UNKNOWN));
}

/** What is known without asking; undefined: nothing yet. */
export function knownNodeMajor(path: string): number | undefined {
  if (path === process.execPath) return Number(process.versions.node.split('.')[0]);
  const key = binaryKey(path);
  return key === undefined ? undefined : versions.get(key);
}

/** A binary that was replaced is another one. */
function binaryKey(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    const { ino, mtimeMs, size } = statSync(real);
    return `${real} ${ino} ${mtimeMs} ${size}`;
  } catch {
    return undefined; // not there
  }
}

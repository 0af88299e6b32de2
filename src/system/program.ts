/** Says precisely why a program cannot be executed, from what the file system shows. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { getSystemErrorMap } from 'node:util';

export interface Unrunnable {
  readonly fact: string;
  readonly hint?: string | undefined;
}

/** undefined: nothing speaks against it. */
export function whyUnrunnable(
  argv0: string,
  cwd: string,
  searchPath: string | undefined,
): Unrunnable | undefined {
  if (!isFolder(cwd)) return { fact: `its folder ${cwd} does not exist`, hint: 'create it or set cwd' };
  if (!argv0.includes('/')) {
    const folders = (searchPath ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter);
    if (folders.some((folder) => isExecutable(join(folder, argv0)))) return undefined;
    return { fact: `command "${argv0}" is not in PATH`, hint: 'install it, or give its absolute path' };
  }
  const path = isAbsolute(argv0) ? argv0 : join(cwd, argv0);
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file) return { fact: `${path} does not exist`, hint: 'install it again, or correct the path' };
  if (file.isDirectory()) return { fact: `${path} is a directory`, hint: 'name the script in it' };
  if (!isExecutable(path)) return { fact: `${path} is not executable`, hint: `chmod +x ${path}` };
  const interpreter = readShebang(path);
  if (interpreter && !statSync(interpreter, { throwIfNoEntry: false })) {
    return { fact: `${path} wants ${interpreter}, which does not exist`, hint: 'correct its first line' };
  }
  return undefined;
}

/** The same for a script that an interpreter will read. */
export function whyUnreadable(script: string): Unrunnable | undefined {
  const file = statSync(script, { throwIfNoEntry: false });
  if (!file) return { fact: `${script} does not exist`, hint: 'correct the path of the script' };
  if (file.isDirectory()) return { fact: `${script} is a directory`, hint: 'name the script in it' };
  try {
    accessSync(script, constants.R_OK);
    return undefined;
  } catch {
    return { fact: `${script} cannot be read`, hint: `chmod +r ${script}` };
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // missing, or not for us
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readShebang(path: string): string | undefined {
  const head = Buffer.alloc(256);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined; // executable but not readable
  }
  readSync(fd, head);
  closeSync(fd);
  return /^#!\s*(\S+)/.exec(head.toString('latin1'))?.[1];
}

/** `ENOENT (no such file or directory)` for an errno of this system. */
export function errnoText(errno: number): string {
  const known = getSystemErrorMap().get(-errno);
  return known ? `${known[0]} (${known[1]})` : `errno ${errno}`;
}

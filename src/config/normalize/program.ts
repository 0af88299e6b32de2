/** Decides what is executed for a service: interpreter, its arguments, script and arguments. */
import { basename, extname, join, resolve } from 'node:path';
import type { ServiceSpec } from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import type { ParsedService } from '../schema.js';
import { commandWords, shellWords } from './command.js';
import { isInRelease } from './in-release.js';
import { findProgram, findSimilarFile, isExecutable, kindOf } from './lookup.js';
import { typescriptArgs } from './typescript.js';

export interface Program {
  readonly script: string | null;
  readonly argv: string[];
}

export interface ProgramContext {
  /** The folder of the configuration file. */
  readonly folder: string;
  readonly cwd: string;
  /** PATH as the service will have it. */
  readonly path: string;
  readonly nodePath: string;
  /** What lies in it is not there yet. @default null */
  readonly release?: ServiceSpec['release'];
  /** Run the command in a shell, whether it looks so or not. */
  readonly isShell?: boolean;
  readonly refuse: (part: Path, message: string, hint: string) => void;
}

const SCRIPT_PROGRAMS: Readonly<Record<string, string>> = {
  '.js': 'node',
  '.cjs': 'node',
  '.mjs': 'node',
  '.ts': 'node',
  '.cts': 'node',
  '.mts': 'node',
  '.py': 'python3',
  '.sh': 'sh',
};

export async function resolveProgram(service: ParsedService, context: ProgramContext): Promise<Program> {
  if (service.script !== undefined) return resolveScript(service.script, service, context);
  return {
    script: null,
    argv: await resolveCommand(service.command ?? [], ['command'], context, service.args),
  };
}

/** The words of a command, the first one found in PATH. */
export async function resolveCommand(
  command: string | readonly string[],
  part: Path,
  context: ProgramContext,
  args: readonly string[] = [],
): Promise<string[]> {
  const isLine = context.isShell && typeof command === 'string';
  const [name, ...rest] = isLine ? shellWords(command, args) : commandWords(command, args);
  if (name === undefined) return [];
  const path = resolve(context.cwd, name);
  if (name.includes('/') && isInRelease(path, context.release ?? null)) return [path, ...rest];
  const program = await findProgram(name, context.path, context.cwd);
  if (program) return [program, ...rest];
  const isPath = name.includes('/');
  context.refuse(
    typeof command === 'string' ? part : [...part, 0],
    isPath ? `"${path}" is not an executable file` : `"${name}" is not found in PATH`,
    isPath
      ? 'correct the path, or make the file executable: chmod +x'
      : 'install it, or write its whole path',
  );
  return [name, ...rest];
}

async function resolveScript(
  script: string,
  service: ParsedService,
  context: ProgramContext,
): Promise<Program> {
  const path = resolve(context.cwd, script);
  const args = service.args ?? [];
  const program = { script: path, argv: [path, ...args] };
  const isReleased = isInRelease(path, context.release ?? null);
  if (!isReleased && !(await isScriptThere(script, path, context))) return program;
  const interpreter = await resolveInterpreter(path, service.interpreter, context);
  if (interpreter === undefined) return program;
  const own = service.interpreterArgs ?? [];
  const isTypescript = /^\.[cm]?ts$/.test(extname(path)) && /^node(?:js)?$/.test(basename(interpreter));
  const hasLoader = own.some((arg) => /tsx|ts-node|strip-types|transform-types|swc/.test(arg));
  // A loader of the release would be the one of another release, or not there.
  const loadersOf = isReleased ? null : context.cwd;
  const added = isTypescript && !hasLoader ? await typescriptArgs(interpreter, loadersOf) : [];
  return { script: path, argv: [interpreter, ...added, ...own, ...program.argv] };
}

async function isScriptThere(
  script: string,
  path: string,
  { cwd, release = null, refuse }: ProgramContext,
): Promise<boolean> {
  if (!isInRelease(cwd, release) && (await kindOf(cwd)) !== 'folder') return false;
  const kind = await kindOf(path);
  if (kind === 'file') return true;
  const similar = await findSimilarFile(path);
  const missing = similar ? `did you mean "${similar}"?` : 'correct the path, or build the file first';
  refuse(
    ['script'],
    kind === 'folder'
      ? `"${script}" is a folder, not a file (${path})`
      : `"${script}" does not exist (${path})`,
    kind === 'folder' ? `name the file in it, for example ${join(script, 'index.js')}` : missing,
  );
  return false;
}

/** undefined: the script is executed by itself, or what is wrong has been said. */
async function resolveInterpreter(
  path: string,
  wanted: string | undefined,
  context: ProgramContext,
): Promise<string | undefined> {
  if (wanted !== undefined && wanted !== 'none') return resolveWanted(wanted, context);
  const byExtension = wanted === 'none' ? undefined : SCRIPT_PROGRAMS[extname(path)];
  if (byExtension === 'node') return context.nodePath;
  if (byExtension !== undefined) {
    const program = await findProgram(byExtension, context.path, context.cwd);
    if (!program) {
      context.refuse(
        ['script'],
        `"${byExtension}", which runs ${extname(path)} files, is not found in PATH`,
        'install it, or set interpreter',
      );
    }
    return program;
  }
  if (!isInRelease(path, context.release ?? null) && !(await isExecutable(path))) {
    const reason =
      wanted === 'none' ? 'and the interpreter is none' : 'and its extension names no interpreter';
    const hint = `make it executable: chmod +x ${path}, or set interpreter`;
    context.refuse(['script'], `"${basename(path)}" is not executable, ${reason}`, hint);
  }
  return undefined;
}

async function resolveWanted(wanted: string, context: ProgramContext): Promise<string | undefined> {
  if (wanted === 'node') return context.nodePath;
  const path = resolve(context.folder, wanted);
  if (isInRelease(path, context.release ?? null)) return path;
  const kind = wanted.includes('/') ? await kindOf(path) : 'missing';
  const name = kind === 'folder' ? join(path, 'bin/node') : wanted;
  const program = await findProgram(name, context.path, context.folder);
  if (program) return program;
  if (kind === 'folder') {
    context.refuse(
      ['interpreter'],
      `"${wanted}" is a folder without bin/node`,
      'name a folder that holds bin/node, or the program itself',
    );
  } else if (kind === 'file') {
    context.refuse(['interpreter'], `"${wanted}" is not executable`, `make it executable: chmod +x ${path}`);
  } else if (wanted.includes('/')) {
    context.refuse(['interpreter'], `"${wanted}" does not exist (${path})`, 'correct the path');
  } else {
    context.refuse(
      ['interpreter'],
      `"${wanted}" is not found in PATH`,
      'install it, or write its whole path',
    );
  }
  return undefined;
}

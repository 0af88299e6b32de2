/** The commands of a release: most of them run in its folder, which is not there yet. */
import { isAbsolute, resolve } from 'node:path';
import type { HookSpec } from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import type { ParsedHook } from '../schema.js';
import { commandWords } from './command.js';
import { HOOK_TIMEOUT_MS } from './defaults.js';
import { kindOf } from './lookup.js';
import { resolveCommand, type ProgramContext } from './program.js';

export interface HookOptions {
  /** Where nothing is said. @default 5 minutes */
  readonly timeoutMs?: number;
  /** Where it runs when nothing is said; null: in the folder of the release. @default null */
  readonly cwd?: string | null;
}

export async function hookSpec(
  hook: ParsedHook,
  part: Path,
  context: ProgramContext,
  { timeoutMs = HOOK_TIMEOUT_MS, cwd = null }: HookOptions = {},
): Promise<HookSpec> {
  const isPlain = typeof hook === 'string' || Array.isArray(hook);
  const said = isPlain ? { run: hook } : hook;
  const runPart = isPlain ? part : [...part, 'run'];
  const common = { timeoutMs: said.timeout ?? timeoutMs };
  const folder = said.cwd === undefined ? cwd : resolve(context.folder, said.cwd);
  if (folder === null) return { run: await commandInRelease(said.run, runPart, context), ...common };
  if ((await kindOf(folder)) !== 'folder') {
    const hint = 'name an existing folder, or leave cwd out to run in the folder of the release';
    context.refuse([...part, 'cwd'], `"${said.cwd}" is not a folder (${folder})`, hint);
  }
  return { run: await commandOfHost(said.run, runPart, context, folder), ...common, cwd: folder };
}

export async function hookSpecs(
  hooks: readonly ParsedHook[] | undefined,
  part: Path,
  isList: boolean,
  context: ProgramContext,
): Promise<HookSpec[]> {
  return Promise.all(
    (hooks ?? []).map((hook, index) => {
      const place = isList ? [...part, index] : part;
      const isOneOfMany = typeof hook === 'string' && !hook.includes('/') && (hooks ?? []).length > 1;
      return hookSpec(hook, place, isOneOfMany ? hintingAtWords(context) : context);
    }),
  );
}

/** Who writes a list may have meant one command in its words. */
function hintingAtWords(context: ProgramContext): ProgramContext {
  const words =
    'each text of the list is a command of its own; write {run: [npm, run, migrate]} for one in its words';
  return { ...context, refuse: (part, message) => context.refuse(part, message, words) };
}

/** A program that is named by a relative path comes with the release; one that is named alone is looked up in PATH. */
export async function commandInRelease(
  command: string | readonly string[],
  part: Path,
  context: ProgramContext,
): Promise<string[]> {
  const words = commandWords(command);
  const [name = ''] = words;
  const isOfRelease = name.includes('/') && !isAbsolute(name);
  return isOfRelease ? words : resolveCommand(command, part, context);
}

export function commandOfHost(
  command: string | readonly string[],
  part: Path,
  context: ProgramContext,
  cwd: string = context.folder,
): Promise<string[]> {
  return resolveCommand(command, part, { ...context, cwd, release: null });
}

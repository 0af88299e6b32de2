/** Reads a configuration file of any kind into a value whose places are known. */
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { toDiagnostic, type Diagnostic, type Source } from '../diagnostic.js';
import { findJsonError } from './json-syntax.js';
import { positionAt, type Locate } from './position.js';
import { runScript, scriptLocator } from './script.js';
import { readYaml } from './yaml.js';

export interface Readable {
  readonly value: unknown;
  /** A function was told the profile, and may know profiles that the value does not list. */
  readonly isFromFunction: boolean;
  readonly source: Source;
  readonly findings: readonly Diagnostic[];
  /** Made on demand: scripts are parsed only when something must be pointed at. */
  readonly locator: () => Promise<Locate>;
}

export type ReadResult =
  ({ readonly ok: true } & Readable) | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** `shown`: the file as it should be printed. */
export async function readConfig(path: string, shown: string, context: object): Promise<ReadResult> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text !== 'string') return { ok: false, diagnostics: [unreadable(shown, text)] };
  const source: Source = { file: shown, text: text.replace(/^\uFEFF/, '') };
  const extension = extname(path);
  if (extension === '.json') return readJson(source);
  if (extension === '.yaml' || extension === '.yml') return readText(source);
  const result = await runScript(path, source, context);
  if (!result.ok) return { ok: false, diagnostics: [result.diagnostic] };
  const { value, isFromFunction } = result;
  return { ok: true, value, isFromFunction, source, findings: [], locator: () => scriptLocator(source) };
}

async function readJson(source: Source): Promise<ReadResult> {
  const error = findJsonError(source.text);
  if (!error) return readText(source);
  const { offset, message, hint } = error;
  const problem = { severity: 'error', path: [], message, hint } as const;
  return { ok: false, diagnostics: [toDiagnostic(problem, source, positionAt(source.text, offset))] };
}

async function readText(source: Source): Promise<ReadResult> {
  const { value, locate, diagnostics } = await readYaml(source);
  const isReadable = value !== undefined;
  if (!isReadable) return { ok: false, diagnostics };
  const locator = (): Promise<Locate> => Promise.resolve(locate);
  return { ok: true, value, isFromFunction: false, source, findings: diagnostics, locator };
}

function unreadable(file: string, { code, message }: NodeJS.ErrnoException): Diagnostic {
  const fact =
    code === 'ENOENT' ? 'the file does not exist' : code === 'EISDIR' ? 'this is a folder' : message;
  const problem = { message: fact, hint: 'name an existing file, for example upkeep.config.yaml' };
  return toDiagnostic({ severity: 'error', path: [], ...problem }, { file, text: '' }, null);
}

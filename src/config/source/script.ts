/** Runs a configuration written in JavaScript or TypeScript, and finds its values in the source. */
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ParseResult } from '@babel/parser';
import { START, toDiagnostic, type Diagnostic, type Position, type Source } from '../diagnostic.js';
import { redactText } from '../redact.js';
import { provideUpkeep } from './provide-upkeep.js';
import { positionAt, positionOf, type Locate } from './position.js';
import { findScriptPlace } from './script-locate.js';

export type ScriptResult =
  | { readonly ok: true; readonly value: unknown; readonly isFromFunction: boolean }
  | { readonly ok: false; readonly diagnostic: Diagnostic };

/** What the file exports; a function is called with the context. */
export async function runScript(path: string, source: Source, context: object): Promise<ScriptResult> {
  try {
    const exported = await execute(path, source.text);
    const isFromFunction = typeof exported === 'function';
    const value: unknown = isFromFunction ? await exported(context) : exported;
    if (value !== undefined) return { ok: true, value, isFromFunction };
    const problem = {
      message: 'the file exports nothing',
      hint: 'write export default defineConfig({ services: {} })',
    };
    return {
      ok: false,
      diagnostic: toDiagnostic({ severity: 'error', path: [], ...problem }, source, START),
    };
  } catch (error) {
    return { ok: false, diagnostic: await explainFailure(error, path, source) };
  }
}

/** Parses the source only when a position is needed. */
export async function scriptLocator(source: Source): Promise<Locate> {
  const parsed = await parse(source.text).catch(() => undefined);
  return (path, at) => {
    const place = parsed ? findScriptPlace(parsed.program, path) : null;
    return place && positionOf(source.text, place, at);
  };
}

async function execute(path: string, text: string): Promise<unknown> {
  const withdraw = text.includes('upkeep') ? provideUpkeep() : () => {};
  try {
    return defaultOf(await load(path));
  } finally {
    withdraw();
  }
}

async function load(path: string): Promise<unknown> {
  const url = pathToFileURL(path).href;
  if (/^\.[mc]?ts$/.test(extname(path))) {
    const { tsImport } = await import('tsx/esm/api');
    return tsImport(url, import.meta.url);
  }
  if (extname(path) === '.cjs') delete createRequire(path).cache[path];
  const { mtimeMs } = await stat(path);
  return import(`${url}?changed=${mtimeMs}`);
}

/** Interop of the module systems may wrap the default export once more. */
function defaultOf(module: unknown): unknown {
  const first = (module as { default?: unknown }).default;
  const isWrapped =
    typeof first === 'object' && first !== null && 'default' in first && '__esModule' in first;
  return isWrapped ? first.default : first;
}

async function explainFailure(error: unknown, path: string, source: Source): Promise<Diagnostic> {
  const syntax = await findSyntaxError(source.text);
  const fact = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const problem = syntax
    ? { message: `the file is not valid: ${syntax.message}`, hint: 'correct the syntax at this place' }
    : {
        message: `the file throws when it runs: ${redactText(fact.split('\n')[0] ?? '')}`,
        hint: hintOf(error),
      };
  const position = syntax?.position ?? positionInStack(error, path, source.text);
  return toDiagnostic({ severity: 'error', path: [], ...problem }, source, position);
}

function hintOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  const isMissing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return isMissing
    ? 'install the package beside the file, or correct the import'
    : 'correct what this line does';
}

async function findSyntaxError(text: string): Promise<{ message: string; position: Position } | undefined> {
  try {
    await parse(text);
    return undefined;
  } catch (error) {
    const { pos = 0, message } = error as { pos?: number; message: string };
    return {
      message: message.replace(/\s*\(\d+:\d+\)$/, '').replace(/\.$/, ''),
      position: positionAt(text, pos),
    };
  }
}

async function parse(text: string): Promise<ParseResult> {
  const { parse: parseScript } = await import('@babel/parser');
  return parseScript(text, {
    sourceType: 'unambiguous',
    allowReturnOutsideFunction: true,
    createParenthesizedExpressions: false,
    plugins: text.includes('</') ? ['typescript', 'jsx'] : ['typescript'],
  });
}

/** The first frame of the stack that lies in the file. */
function positionInStack(error: unknown, path: string, text: string): Position | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, file = '', line, column] of stack.matchAll(
    /((?:file:\/\/)?\/[^\s()]*?)(?:\?[^:\s]*)?:(\d+):(\d+)/g,
  )) {
    const name = file.startsWith('file:') ? fileURLToPath(file) : file;
    if (name === path) return { line: Number(line), column: Number(column), length: 1 };
  }
  return importInText(error, text);
}

/** A missing package is no frame of the stack, but its name stands in the source. */
function importInText(error: unknown, text: string): Position | null {
  const [, name] = /(?:package|module) '([^']+)'/i.exec(error instanceof Error ? error.message : '') ?? [];
  const start = Math.max(text.indexOf(`'${name}'`), text.indexOf(`"${name}"`)) + 1;
  return name && start > 0 ? positionAt(text, start, start + name.length) : null;
}

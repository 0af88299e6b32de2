/** JSON files of values beside the environment, and every value in them by its path. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../finding.js';

export interface Leaf {
  /** `db.host`, `hosts.0`. */
  readonly key: string;
  readonly value: unknown;
}

export interface ConfigFile {
  /** Within the release. */
  readonly path: string;
  /** null: it could not be read. */
  readonly content: Readonly<Record<string, unknown>> | null;
  readonly finding?: Finding;
}

export function readConfigFile(folder: string, path: string, host: string): ConfigFile {
  const no = (fact: string, hint: string): ConfigFile => ({
    path,
    content: null,
    finding: {
      area: 'contract',
      rule: 'file',
      verdict: 'failed',
      text: `${path} ${fact} on host "${host}"`,
      hint,
    },
  });
  let text: string;
  try {
    text = readFileSync(join(folder, path), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      return no(`cannot be read (${code ?? 'unknown'})`, `look at ${join(folder, path)}`);
    return no('is not there', `create it in the release, or in shared and name it under linked.files`);
  }
  try {
    const content: unknown = JSON.parse(text);
    if (isRecord(content)) return { path, content };
    return no('is no JSON object', `write {"key": …} into it`);
  } catch (error) {
    // The message quotes what stands there: only the place is told.
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const line = position === undefined ? '' : `, line ${text.slice(0, Number(position)).split('\n').length}`;
    return no(`is no valid JSON${line}`, `correct ${join(folder, path)}`);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whatever is neither a list nor an object. */
export function leavesOf(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ key: path, value }];
  return Object.entries(value).flatMap(([key, each]) => leavesOf(each, path === '' ? key : `${path}.${key}`));
}

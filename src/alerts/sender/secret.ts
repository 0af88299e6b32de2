/** Reads a value that stands in no configuration. What goes wrong is told without what was read. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { SecretSpec } from '../../protocol/index.js';

const TIMEOUT_MS = 10_000;

export async function readSecret(secret: SecretSpec, what: string): Promise<string> {
  try {
    if ('file' in secret) return (await readFile(secret.file, 'utf8')).trim();
    const [program, ...args] = secret.command as [string, ...string[]];
    return (await promisify(execFile)(program, args, { timeout: TIMEOUT_MS })).stdout.trim();
  } catch (cause) {
    const { code = 'timeout' } = cause as { code?: string | number };
    const source = 'file' in secret ? `file ${secret.file}` : `command ${secret.command[0]}`;
    throw new Error(`the ${what} cannot be read from ${source} (${code})`);
  }
}

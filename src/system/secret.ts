/** Reads a value that stands in no configuration. What goes wrong is told without what was read, or what a command printed. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { SecretSpec } from '../protocol/index.js';

const COMMAND_TIMEOUT_MS = 10_000;

/** `a secret cannot be read from command /usr/bin/pass (9)` */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly place: string;
  /** Of the system, the exit code of the command, or `timeout`. */
  readonly reason: string;

  constructor(place: string, reason: string) {
    super(`a secret cannot be read from ${place} (${reason})`);
    this.place = place;
    this.reason = reason;
  }
}

/** Without the end of its last line. */
export async function readSecret(secret: SecretSpec, cwd?: string): Promise<string> {
  try {
    return (await read(secret, cwd)).replace(/\r?\n$/, '');
  } catch (cause) {
    // The cause may quote what the command printed: only its kind is told.
    const { code = 'timeout' } = cause as { code?: string | number };
    throw new SecretError(placeOfSecret(secret), String(code));
  }
}

/** `file /run/token`, `command pass`: never an argument of it. */
export function placeOfSecret(secret: SecretSpec): string {
  return 'file' in secret ? `file ${secret.file}` : `command ${secret.command[0]}`;
}

async function read(secret: SecretSpec, cwd: string | undefined): Promise<string> {
  if ('file' in secret) return readFile(secret.file, 'utf8');
  const [program, ...args] = secret.command as [string, ...string[]];
  const { stdout } = await promisify(execFile)(program, args, { cwd, timeout: COMMAND_TIMEOUT_MS });
  return stdout;
}

import { refusal, type Refusal } from './refusal.js';

/** What zlib did not like; undefined: it was not zlib that failed. */
export function judgeZlibError(error: unknown): Refusal | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !code.startsWith('Z_')) return undefined;
  if (code === 'Z_BUF_ERROR') return refusal('truncated', 'ends within compressed bytes');
  // The first header of a gzip was looked at, so these bytes were taken for a second one.
  if (message === 'incorrect header check') return refusal('trailing-bytes', 'has bytes after its end');
  return refusal('malformed', `cannot be unpacked: ${message}`);
}

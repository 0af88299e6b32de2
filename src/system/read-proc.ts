/** One file of /proc, where a process may end at any time. */
import { readFileSync } from 'node:fs';

export function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8'); // in one call of Node's; other encodings take five
  } catch {
    return undefined; // it has ended, or is not ours to see
  }
}

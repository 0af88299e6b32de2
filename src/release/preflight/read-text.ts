import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** undefined: it is not there, or not to be read, which whoever needs it tells. */
export function readTextOf(folder: string, file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return undefined; // see above
  }
}

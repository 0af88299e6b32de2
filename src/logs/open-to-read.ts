import { openSync } from 'node:fs';

export function openToRead(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined; // nothing was written yet, or it has just been moved aside
  }
}

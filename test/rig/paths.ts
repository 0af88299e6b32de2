import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The built command. */
export const CLI = join(ROOT, 'bin', 'upkeep.js');
/** What programs import as 'upkeep'. */
export const SDK = join(ROOT, 'dist', 'sdk.js');
export const OPEN_API = join(ROOT, 'dist', 'openapi.json');

/** A program of test/fixtures/apps. */
export function app(file: string): string {
  return join(ROOT, 'test', 'fixtures', 'apps', file);
}

/** Finds the configuration file of a folder. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toDiagnostic, type Outcome } from '../diagnostic.js';

export const CONFIG_NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs', 'json', 'yaml', 'yml'].map(
  (extension) => `upkeep.config.${extension}`,
);

/** The one `upkeep.config.*` of the folder; two of them are an error, because either could be meant. */
export async function findConfig(folder: string): Promise<Outcome<{ file: string }>> {
  const entries = await readdir(folder).catch((): string[] => []);
  const [found, ...others] = CONFIG_NAMES.filter((name) => entries.includes(name));
  if (found && others.length === 0) return { ok: true, file: join(folder, found), warnings: [] };
  const problem = found
    ? {
        message: `${folder} holds ${[found, ...others].join(' and ')}`,
        hint: `keep one of them, or name the one that is meant: upkeep up ${found}`,
      }
    : {
        message: `${folder} holds no configuration file`,
        hint: `write upkeep.config.ts or upkeep.config.yaml, or name a file`,
      };
  return { ok: false, diagnostics: [toDiagnostic({ severity: 'error', path: [], ...problem }, null, null)] };
}

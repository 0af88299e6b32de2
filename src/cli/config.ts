/** The configuration file and the command line as specifications; what is wrong with them is printed here. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  findConfig,
  formatDiagnostics,
  loadConfig,
  specFromCommandLine,
  type CommandLine,
  type Diagnostic,
  type LoadResult,
} from '../config/index.js';
import { withDependencies } from '../core/index.js';
import { UpkeepError, type ServiceSpec } from '../protocol/index.js';
import { mostSimilar } from '../util/index.js';
import { usageError } from './arguments.js';
import { note } from './output/print.js';

/** The options of the commands that read a configuration file. */
export const CONFIG_OPTIONS = {
  profile: {
    type: 'string',
    short: 'p',
    value: 'name',
    description: 'profile of the file, by default UPKEEP_PROFILE',
  },
} as const;

export interface ConfigOptions {
  readonly profile?: string | undefined;
}

export type LoadedConfig = Extract<LoadResult, { ok: true }>;

/** The file of the operand, or the one in that folder, by default this one. */
export async function readConfigFile(
  name: string,
  operands: readonly string[],
  { profile }: ConfigOptions,
): Promise<LoadResult> {
  const [operand = '.', ...others] = operands;
  if (others.length > 0) throw usageError(name, `it takes one file, not ${operands.length}`);
  const path = resolve(operand);
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const found = isFolder ? await findConfig(path) : { ok: true as const, file: path };
  if (!found.ok) return found;
  return loadConfig(found.file, { profile: profile ?? (process.env['UPKEEP_PROFILE'] || null) });
}

/** The same for the commands that need all of it to be right. */
export async function loadConfigFile(
  name: string,
  operands: readonly string[],
  options: ConfigOptions,
): Promise<LoadedConfig> {
  const result = await readConfigFile(name, operands, options);
  if (result.ok) return result;
  throw refuse(operands[0] ? `use "${operands[0]}"` : 'use the configuration', result.diagnostics);
}

export async function loadCommandLine(line: CommandLine): Promise<ServiceSpec> {
  const result = await specFromCommandLine(line, { cwd: process.cwd(), shellEnv: { ...process.env } });
  if (!result.ok) throw refuse(`start "${line.target}"`, result.diagnostics);
  noteDiagnostics(result.warnings);
  return result.services[0];
}

/** `--only a,b`: these and what they depend on; undefined: all of them. */
export function selectServices(
  services: readonly ServiceSpec[],
  only: string | undefined,
): readonly ServiceSpec[] {
  if (only === undefined) return services;
  const known = services.map(({ name }) => name);
  const wanted = only.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) {
    const names = withDependencies(wanted, services);
    return services.filter(({ name }) => names.includes(name));
  }
  const similar = mostSimilar(unknown, known);
  throw new UpkeepError(
    'service-not-found',
    `Cannot select "${unknown}": the file defines ${known.join(', ')}`,
    {
      hint: similar && `did you mean "${similar}"?`,
    },
  );
}

export function noteDiagnostics(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) note(formatDiagnostics(diagnostics));
}

function refuse(action: string, diagnostics: readonly Diagnostic[]): UpkeepError {
  noteDiagnostics(diagnostics);
  const count = diagnostics.filter(({ severity }) => severity === 'error').length;
  return new UpkeepError(
    'config-invalid',
    `Cannot ${action}: ${count === 1 ? '1 error' : `${count} errors`}`,
  );
}

/** What a service would get now, without doing anything for it: commands that print secrets are not run. */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { ServiceSpec } from '../../protocol/index.js';
import type { ExpectedEnvironment } from '../machine.js';
import type { Sight } from './sight.js';

export function readExpectedEnvironment(spec: ServiceSpec, sight: Sight): ExpectedEnvironment | undefined {
  try {
    return sight.look(`env files and secrets of ${spec.name}`, () => expected(spec));
  } catch {
    return undefined; // a file that is not there is told by another check
  }
}

/** Later wins, in the order in which a start resolves them. */
function expected({ env, envFiles, secrets }: ServiceSpec): ExpectedEnvironment {
  const declared = (isOfShell: boolean): [string, string][] =>
    Object.entries(env)
      .filter(([, { source }]) => (source === 'shell') === isOfShell)
      .map(([name, { value }]) => [name, value]);
  const files = envFiles.flatMap((file) => Object.entries(readEnvFile(file)));
  const known = new Map([...declared(true), ...files, ...declared(false)]);
  const unknown: string[] = [];
  for (const [name, secret] of Object.entries(secrets)) {
    if ('file' in secret) known.set(name, readFileSync(secret.file, 'utf8').replace(/\r?\n$/, ''));
    else unknown.push(name);
  }
  return { known: Object.fromEntries(known), unknown };
}

export function readEnvFile(path: string): Record<string, string> {
  return parseEnv(readFileSync(path, 'utf8')) as Record<string, string>;
}

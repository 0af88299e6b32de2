/** The variables of a service, each with the place that it came from. */
import { isBaseVariable } from '../../core/index.js';
import type { ServiceSpec } from '../../protocol/index.js';
import type { EnvLayer } from '../draft.js';

export type ShellEnv = Readonly<Record<string, string | undefined>>;

/** Belongs to the shell or to what started upkeep, and would mislead the service. */
const OF_THE_SHELL = /^(?:npm_|UPKEEP_|LISTEN_|NOTIFY_SOCKET$|_$|OLDPWD$|SHLVL$|PWD$)/;

/** The base list, and what `inheritEnv` names. */
export function shellLayer(shellEnv: ShellEnv, inherit: boolean | readonly string[]): EnvLayer {
  const isTaken = (key: string): boolean => {
    if (isBaseVariable(key)) return true;
    return typeof inherit === 'boolean' ? inherit && !OF_THE_SHELL.test(key) : inherit.includes(key);
  };
  const taken = Object.entries(shellEnv).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isTaken(entry[0]),
  );
  return { values: Object.fromEntries(taken), source: 'shell', path: [] };
}

/** Later layers win; `null` removes. */
export function mergeLayers(layers: readonly EnvLayer[]): ServiceSpec['env'] {
  const env: ServiceSpec['env'] = {};
  for (const { values, source } of layers) {
    for (const [key, value] of Object.entries(values)) {
      if (value === null) delete env[key];
      else env[key] = { value, source };
    }
  }
  return env;
}

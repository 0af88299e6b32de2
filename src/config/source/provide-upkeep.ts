/**
 * Lets a configuration file `import { defineConfig } from 'upkeep'` where upkeep is installed globally and
 * thus cannot be found from the folder of the file. An installed package is preferred.
 */
import Module, { register } from 'node:module';

const STAND_IN = 'export const defineConfig = (config) => config;';

const HOOKS = `
export async function resolve(specifier, context, next) {
  if (specifier !== 'upkeep') return next(specifier, context);
  return next(specifier, context).catch(() => ({
    url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(STAND_IN)}`)},
    format: 'module',
    shortCircuit: true,
  }));
}`;

interface CommonJsLoader {
  _load(request: string, ...rest: unknown[]): unknown;
}

let isRegistered = false;

/** Returns what takes it back, as far as Node can. */
export function provideUpkeep(): () => void {
  if (!isRegistered) register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
  isRegistered = true;
  const loader = Module as unknown as CommonJsLoader;
  const load = loader._load;
  loader._load = (request, ...rest) => {
    try {
      return load.call(loader, request, ...rest);
    } catch (error) {
      if (request !== 'upkeep') throw error;
      return { defineConfig: (config: unknown) => config };
    }
  };
  return () => {
    loader._load = load;
  };
}

/**
 * Lets a configuration file `import { defineConfig } from 'upkeep'` where upkeep is installed globally and
 * thus cannot be found from the folder of the file. An installed package is preferred.
 */
import Module, { register } from 'node:module';

/** What a configuration may import: functions that return what they are given. */
const NAMES = ['defineConfig', 'defineRelease'];

const STAND_IN = dataUrl(NAMES.map((name) => `export const ${name} = (config) => config;`).join('\n'));

/** For Node before 22.15: hooks run in a thread of their own, so they travel as text. */
const HOOKS = dataUrl(`
export async function resolve(specifier, context, next) {
  if (specifier !== 'upkeep') return next(specifier, context);
  const standIn = { url: ${JSON.stringify(STAND_IN)}, format: 'module', shortCircuit: true };
  return next(specifier, context).catch(() => standIn);
}`);

type Next = (specifier: string, context: unknown) => unknown;

interface Loader {
  /** What `require` calls; it has no public hook before 22.15, and must not see a data: URL after. */
  _load(request: string, ...rest: unknown[]): unknown;
  /** Since 22.15; `register` is deprecated in its favour. */
  registerHooks?(hooks: { resolve(specifier: string, context: unknown, next: Next): unknown }): unknown;
}

const loader = Module as unknown as Loader;
let areHooksSet = false;

/** Returns what takes the part for `require` back; the hooks for `import` stay, they answer only to "upkeep". */
export function provideUpkeep(): () => void {
  if (!areHooksSet) setHooks();
  areHooksSet = true;
  const load = loader._load;
  loader._load = (request, ...rest) => {
    try {
      return load.call(loader, request, ...rest);
    } catch (error) {
      if (request !== 'upkeep') throw error;
      return Object.fromEntries(NAMES.map((name) => [name, (config: unknown) => config]));
    }
  };
  return () => {
    loader._load = load;
  };
}

function setHooks(): void {
  if (loader.registerHooks) loader.registerHooks({ resolve: resolveOrStandIn });
  else register(HOOKS);
}

function resolveOrStandIn(specifier: string, context: unknown, next: Next): unknown {
  try {
    return next(specifier, context);
  } catch (error) {
    if (specifier !== 'upkeep') throw error;
    return { url: STAND_IN, format: 'module', shortCircuit: true };
  }
}

function dataUrl(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

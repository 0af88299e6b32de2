// TEMPORARY until src/config/index.ts exports specFromCommandLine.
import { existsSync } from 'node:fs';
import { basename, parse, resolve } from 'node:path';
import type { ServiceSpec } from '../protocol/index.js';

export function temporarySpec(
  target: string,
  values: {
    [key: string]: unknown;
    port?: string[] | undefined;
    env?: string[] | undefined;
    instances?: string | undefined;
    name?: string | undefined;
    restart?: string | undefined;
  },
  args: readonly string[],
): ServiceSpec {
  const path = resolve(target);
  const isScript = existsSync(path);
  const words = target.split(/\s+/);
  const ports = (values.port ?? []).map((port) => ({ port: Number(port), host: null, name: null }));
  const env = Object.fromEntries([
    ...['PATH', 'HOME', 'USER', 'LANG', 'SHELL'].flatMap((key) =>
      process.env[key] === undefined ? [] : [[key, { value: process.env[key], source: 'shell' }]],
    ),
    ...(values.env ?? []).map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), { value: pair.slice(at + 1), source: 'command line' }];
    }),
  ]);
  return {
    name: values.name ?? (isScript ? parse(path).name : basename(words[0]!)),
    script: isScript ? path : null,
    argv: isScript ? [process.execPath, path, ...args] : [...words, ...args],
    cwd: typeof values['cwd'] === 'string' ? resolve(values['cwd']) : process.cwd(),
    user: null,
    group: null,
    instances: Number(values.instances ?? 1),
    env,
    envFiles: [],
    secrets: {},
    ports,
    dependsOn: {},
    restartWithDependencies: false,
    restart: {
      policy: (values.restart ?? 'always') as 'always',
      stopExitCodes: [],
      delayMs: 100,
      maxDelayMs: 15_000,
      stableMs: 10_000,
      limit: 10,
      windowMs: 120_000,
      retryMs: 60_000,
    },
    stop: { signal: 'SIGTERM', graceMs: 10_000, killScope: 'tree' },
    ready:
      ports.length > 0
        ? { on: 'check', check: { on: 'port' }, timeoutMs: 30_000 }
        : { on: 'start', timeoutMs: 30_000 },
    health: null,
    limits: { memoryBytes: null },
    schedule: null,
    watch: null,
    origin: { file: null, profile: null },
  } as ServiceSpec;
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { ReleaseSpec, ServiceSpec } from '../protocol/index.js';
import { loadConfig } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'upkeep-config-prop-'));
after(() => rmSync(folder, { recursive: true }));

const GOOD = {
  env: { LOG: 'info', NOTHING: null },
  services: {
    api: {
      command: 'sleep 1',
      args: ['a'],
      instances: 2,
      env: { PORT: 3000 },
      secrets: { KEY: { command: 'echo x' } },
      ports: [3000, { port: 3001, host: '::1', name: 'admin' }],
      dependsOn: { db: 'ready' },
      restart: { policy: 'on-failure', stopExitCodes: [0], delay: '1s' },
      stop: { signal: 'INT', grace: 500 },
      ready: { http: '/', status: 200 },
      health: { port: true, interval: '1s' },
      limits: { memory: '1GB' },
      logs: { maxSize: '1MB', maxFiles: 3, maxAge: '30d', compress: true },
      watch: { paths: ['.'], ignore: [] },
    },
    db: { command: ['sleep', '1'], schedule: { run: '@daily', timezone: 'UTC' }, inheritEnv: ['X'] },
  },
  releases: {
    api: {
      services: ['api'],
      source: { type: 'http', url: 'https://a/{ref}', sha256: { url: 'https://a/b' }, headers: { a: 'b' } },
      install: { by: 'npm', timeout: '1m' },
      linked: { files: ['a'], folders: ['b'] },
      contract: { env: '.env', unknown: 'warn' },
      policy: {
        rules: { localhost: 'warn' },
        waivers: [{ rule: 'localhost', reason: 'x', until: '2099-01-01' }],
      },
      requires: [{ tcp: 1 }, { command: 'sleep 1' }],
      hooks: { beforeSwitch: ['sleep 1', { run: ['sleep', '1'], cwd: '.' }] },
      verify: { smoke: ['/', { command: 'sleep 1', service: 'api' }], canary: { instances: 1 } },
      traffic: { haproxy: { sockets: '/a', servers: { api: 'a/b' } } },
      keep: 3,
    },
  },
  profiles: {
    prod: {
      services: { api: { instances: 3 } },
      releases: { api: { source: { type: 'git', url: 'x' } }, db: { source: { type: 'npm', package: 'x' } } },
    },
  },
};

/** The configuration with another value at one of its places. */
const mutants = fc
  .tuple(
    fc.constantFrom(...pathsOf(GOOD)),
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', 0, -1, null, [], {})),
  )
  .map(([path, value]) => replace(GOOD, path, value));

test('whatever the file holds, the answer is a specification or a place, a fact and a hint', async () => {
  const file = join(folder, 'upkeep.config.json');
  await fc.assert(
    fc.asyncProperty(mutants, fc.constantFrom(null, 'prod'), async (config, profile) => {
      writeFileSync(file, JSON.stringify(config, null, 2));
      const result = await loadConfig(file, { profile, cwd: folder });
      if (result.ok) {
        for (const service of result.services) v.parse(ServiceSpec, service);
        for (const release of result.releases) v.parse(ReleaseSpec, release);
      } else
        assert.ok(result.diagnostics.every(({ line, message, hint }) => line !== null && message && hint));
    }),
    { numRuns: 600 },
  );
});

function pathsOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [
    [],
    ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner).map((path) => [key, ...path])),
  ];
}

function replace(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  Reflect.set(copy, key, replace(Reflect.get(copy, key), rest, by));
  return copy;
}

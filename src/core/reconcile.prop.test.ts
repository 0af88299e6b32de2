import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { BARE_SPEC } from './bare-spec.js';
import type { CheckSpec, ServiceSpec } from '../protocol/index.js';
import { reconcile, type Existing } from './reconcile.js';

const parameters = { numRuns: Math.ceil(Number(process.env.UPKEEP_PROP_RUNS ?? 10_000) / 40) };

const SECRET = 'hunter2';
const FILES = ['/srv/shop/upkeep.config.ts', '/srv/mail/upkeep.config.ts'];

const count = fc.nat(3);
const secret = fc.constantFrom('', 'a', 'b').map((end) => `${SECRET}${end}`);
const argv = fc.array(secret, { minLength: 1, maxLength: 2 });
const variable = fc.constantFrom('PORT', 'TOKEN', 'a.source', 'constructor');
const file = fc.option(fc.constantFrom(...FILES));
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary);

const check: fc.Arbitrary<CheckSpec> = fc.oneof(
  fc.record({ on: fc.constant('port' as const) }),
  fc.record({
    on: fc.constant('http' as const),
    url: secret.map((word) => `http://me:${word}@[::1]/`),
    status: orNull(count),
  }),
  fc.record({ on: fc.constant('command' as const), argv }),
);

const spec: fc.Arbitrary<ServiceSpec> = fc.record({
  name: fc.constantFrom('api', 'db', 'web', 'worker'),
  script: orNull(fc.constant('/srv/shop/api.js')),
  argv,
  cwd: fc.constantFrom('/srv/shop', '/srv/mail'),
  user: orNull(fc.constant('www')),
  group: fc.constant(null),
  instances: count,
  env: fc.dictionary(
    variable,
    fc.record({ value: secret, source: fc.constantFrom('config', '/srv/shop/.env') }),
    { maxKeys: 3, noNullPrototype: true },
  ),
  envFiles: fc.subarray(['.env', '.env.local']),
  secrets: fc.dictionary(variable, fc.oneof(fc.record({ file: secret }), fc.record({ command: argv })), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  ports: fc.array(
    fc.record({
      port: fc.integer({ min: 80, max: 82 }),
      host: fc.constant(null),
      name: orNull(fc.constant('http')),
    }),
    { maxLength: 2 },
  ),
  dependsOn: fc.constantFrom<ServiceSpec['dependsOn'][]>(
    {},
    { db: 'ready' },
    { db: 'healthy', cache: 'started' },
  ),
  restartWithDependencies: fc.boolean(),
  restart: fc.record({
    policy: fc.constantFrom('always', 'on-failure', 'never'),
    stopExitCodes: fc.subarray([0, 42]),
    delayMs: count,
    maxDelayMs: count,
    stableMs: count,
    limit: fc.integer({ min: 1, max: 3 }),
    windowMs: count,
    retryMs: count,
  }),
  stop: fc.record({
    signal: fc.constantFrom('SIGTERM', 'SIGINT'),
    graceMs: count,
    drainMs: fc.constantFrom(0, 10_000),
    message: fc.boolean(),
    killScope: fc.constantFrom('tree', 'process'),
  }),
  ready: fc.oneof(
    fc.record({ on: fc.constant('start' as const), timeoutMs: count }),
    fc.record({ on: fc.constant('log' as const), pattern: fc.constant('listening'), timeoutMs: count }),
    fc.record({ on: fc.constant('check' as const), check, timeoutMs: count }),
  ),
  eventLoop: orNull(fc.record({ limitMs: count, action: fc.constantFrom('restart', 'none') })),
  health: orNull(
    fc.record({
      check,
      intervalMs: count,
      timeoutMs: count,
      failures: count,
      successes: count,
      startPeriodMs: count,
      certificateMs: fc.option(count, { nil: null }),
      action: fc.constantFrom('restart', 'none'),
    }),
  ),
  sockets: fc.constant(BARE_SPEC.sockets),
  preload: fc.boolean(),
  reload: fc.constantFrom(BARE_SPEC.reload, { ...BARE_SPEC.reload, stableMs: 0 }),
  limits: fc.record({ memoryBytes: orNull(count) }),
  logs: fc.constantFrom(BARE_SPEC.logs, { ...BARE_SPEC.logs, compress: false }),
  alerts: fc.constant([]),
  schedule: fc.constant(null),
  watch: fc.constant(null),
  release: fc.constant(null),
  origin: fc.record({ file, profile: fc.constant(null) }),
});
const specs = fc.uniqueArray(spec, { selector: ({ name }) => name, maxLength: 4 });

test('what exists as it is wanted is kept, in whatever order its keys were written', () => {
  fc.assert(
    fc.property(specs, (wanted) => {
      const rows = reconcile(wanted, existing(wanted.map(reversed)));
      assert.deepEqual(
        rows,
        wanted.map(({ name }) => ({ service: name, action: 'keep', changes: [] })),
      );
    }),
    parameters,
  );
});

test('what differs in more than where a variable comes from is never kept', () => {
  fc.assert(
    fc.property(spec, spec, (before, other) => {
      const after = { ...other, name: before.name };
      const [row] = reconcile([after], existing([before]));
      assert.equal(row?.action === 'keep', isDeepStrictEqual(sourceless(after), sourceless(before)));
    }),
    parameters,
  );
});

test('a changed variable, added, removed or set anew, is told by its name', () => {
  fc.assert(
    fc.property(spec, variable, secret, (before, name, value) => {
      const env = { ...before.env, [name]: { value: `${value}!`, source: 'config' } };
      for (const [from, to] of [
        [before, { ...before, env }],
        [{ ...before, env }, before],
      ] as const) {
        const [row] = reconcile([to], existing([from]));
        assert.equal(row?.action, 'recreate');
        assert.ok(row.changes.some(({ key }) => key === `env.${name}` || key === `env.${name}.value`));
      }
    }),
    parameters,
  );
});

test('a secret value never appears in the changes', () => {
  fc.assert(
    fc.property(spec, spec, (before, after) => {
      const rows = reconcile([{ ...after, name: before.name }], existing([before]));
      assert.ok(!JSON.stringify(rows).includes(SECRET));
    }),
    parameters,
  );
});

test('what was not set is told as null', () => {
  fc.assert(
    fc.property(spec, variable, (before, name) => {
      const after = { ...before, env: { [name]: { value: 'x', source: 'config' } } };
      const [row] = reconcile([after], existing([{ ...before, env: {} }]));
      assert.deepEqual(row?.changes, [{ key: `env.${name}`, from: null, to: '(set)' }]);
    }),
    parameters,
  );
});

test('every wanted service has exactly one row, in order; the others only as orphans of the same files', () => {
  fc.assert(
    fc.property(specs, specs, fc.boolean(), (wanted, there, isWanted) => {
      const rows = reconcile(wanted, existing(there, isWanted));
      const names = wanted.map(({ name }) => name);
      assert.deepEqual(
        rows.slice(0, wanted.length).map(({ service }) => service),
        names,
      );
      const files = new Set(wanted.map(({ origin }) => origin.file));
      const orphans = there.filter(
        ({ name, origin }) => !names.includes(name) && origin.file !== null && files.has(origin.file),
      );
      assert.deepEqual(
        rows.slice(wanted.length),
        orphans.map(({ name }) => ({ service: name, action: 'orphan', changes: [] })),
      );
    }),
    parameters,
  );
});

test('a service is created exactly when there is none of its name', () => {
  fc.assert(
    fc.property(specs, specs, (wanted, there) => {
      const known = new Set(there.map(({ name }) => name));
      for (const { service, action } of reconcile(wanted, existing(there))) {
        assert.equal(action === 'create', !known.has(service));
      }
    }),
    parameters,
  );
});

function existing(there: readonly ServiceSpec[], isWanted = true): Map<string, Existing> {
  return new Map(there.map((each) => [each.name, { spec: each, isWanted }]));
}

/** The same value with the keys of every object in the opposite order. */
function reversed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(reversed) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)] as const);
  return Object.fromEntries(entries.reverse()) as T;
}

function sourceless(each: ServiceSpec): unknown {
  const env = Object.entries(each.env).map(([name, { value }]) => [name, value] as const);
  return { ...each, env: Object.fromEntries(env) };
}

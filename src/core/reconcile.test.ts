import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '../protocol/index.js';
import { reconcile, type Existing } from './reconcile.js';
import { BARE_SPEC } from './bare-spec.js';

const API: ServiceSpec = {
  ...BARE_SPEC,
  name: 'api',
  script: '/srv/shop/api.js',
  argv: ['/usr/bin/node', '/srv/shop/api.js'],
  cwd: '/srv/shop',
  instances: 2,
  env: { PORT: { value: '3000', source: 'upkeep.config.ts:12' } },
  restart: { ...BARE_SPEC.restart, limit: 5, windowMs: 60_000 },
  origin: { file: '/srv/shop/upkeep.config.ts', profile: null },
};

test('a service that does not exist is created', () => {
  assert.deepEqual(reconcile([API], new Map()), [{ service: 'api', action: 'create', changes: [] }]);
});

test('an unchanged service is kept while it is wanted, and started when it is not', () => {
  assert.equal(actionFor(API, API), 'keep');
  assert.equal(actionFor(API, API, false), 'start');
});

test('a change that its processes do not notice is an update', () => {
  const [row] = reconcile([{ ...API, instances: 4 }], existing(API));
  assert.deepEqual(row, {
    service: 'api',
    action: 'update',
    changes: [{ key: 'instances', from: '2', to: '4' }],
  });
});

test('a change that its processes live by is a recreation', () => {
  assert.equal(actionFor(API, { ...API, cwd: '/srv/other' }), 'recreate');
  assert.equal(actionFor(API, { ...API, instances: 4, user: 'www' }), 'recreate');
});

test('a changed variable is told by its name and never by its value', () => {
  const env = { PORT: { value: '3001', source: 'upkeep.config.ts:12' } };
  const [row] = reconcile([{ ...API, env }], existing(API));
  assert.deepEqual(row?.changes, [{ key: 'env.PORT.value', from: '(set)', to: '(set)' }]);
});

test('a variable that moved to another file is no change', () => {
  const env = { PORT: { value: '3000', source: '.env:1' } };
  assert.equal(actionFor(API, { ...API, env }), 'keep');
});

test('the arguments of a check and the password of a URL are not told', () => {
  const command = { on: 'command', argv: ['curl', '-u', 'me:hunter2'] } as const;
  const http = { on: 'http', url: 'http://me:hunter2@[::1]:3000/', status: null } as const;
  const often = { intervalMs: 1000, timeoutMs: 500, failures: 3 };
  const health = {
    ...often,
    successes: 1,
    startPeriodMs: 0,
    action: 'restart',
    certificateMs: null,
  } as const;
  const before = { ...API, health: { ...health, check: { ...command, argv: [...command.argv] } } };
  const after = { ...API, health: { ...health, check: http } };
  assert.deepEqual(reconcile([after], existing(before))[0]?.changes, [
    { key: 'health.check.on', from: 'command', to: 'http' },
    { key: 'health.check.argv', from: '(set)', to: null },
    { key: 'health.check.url', from: null, to: 'http://me:(set)@[::1]:3000/' },
  ]);
});

test('a service that left its file is an orphan; one from elsewhere is nobody’s business', () => {
  const gone = { ...API, name: 'gone' };
  const other = { ...API, name: 'other', origin: { file: '/srv/mail/upkeep.config.ts', profile: null } };
  const typed = { ...API, name: 'typed', origin: { file: null, profile: null } };
  assert.deepEqual(
    reconcile([API], existing(API, gone, other, typed)).map(({ service, action }) => `${service} ${action}`),
    ['api keep', 'gone orphan'],
  );
});

function existing(...specs: readonly ServiceSpec[]): Map<string, Existing> {
  return new Map(specs.map((spec) => [spec.name, { spec, isWanted: true }]));
}

function actionFor(before: ServiceSpec, after: ServiceSpec, isWanted = true): string | undefined {
  return reconcile([after], new Map([[before.name, { spec: before, isWanted }]]))[0]?.action;
}

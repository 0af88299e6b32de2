import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationRequest, ServiceSpec } from '../protocol/index.js';
import { BARE_SPEC } from './bare-spec.js';
import { applyOperation, EMPTY_MODEL, type Model } from './model.js';

const FILE = '/srv/shop/upkeep.config.ts';
const BARE: ServiceSpec = { ...BARE_SPEC, origin: { file: FILE, profile: null } };
const DB = service('db');
const API = service('api', { dependsOn: { db: 'ready' } });
const WEB = service('web', { dependsOn: { api: 'ready' }, restartWithDependencies: true });

test('up makes services exist as described, and wants them', () => {
  const changed = { ...API, instances: 3 };
  const model = after(up(DB, API), { kind: 'stop', services: ['api'] }, up(changed));
  assert.deepEqual(words(model), ['db x1', 'api x3']);
});

test('up deletes what is no longer in its file only when it is told to', () => {
  assert.deepEqual(words(after(up(DB, API), up(DB))), ['db x1', 'api x1']);
  assert.deepEqual(words(after(up(DB, API), { kind: 'up', services: [DB], prune: true })), ['db x1']);
});

test('up leaves alone what came from elsewhere', () => {
  const other = service('other', { origin: { file: null, profile: null } });
  assert.deepEqual(words(after(up(other), { kind: 'up', services: [DB], prune: true })), [
    'other x1',
    'db x1',
  ]);
});

test('the last of stop, start and restart tells whether a service is wanted', () => {
  const stop: OperationRequest = { kind: 'stop', services: ['db'] };
  assert.deepEqual(words(after(up(DB), stop)), ['db x1 stopped']);
  assert.deepEqual(words(after(up(DB), stop, { kind: 'start', services: ['db'] })), ['db x1']);
  assert.deepEqual(words(after(up(DB), stop, { kind: 'restart', services: ['db'] })), ['db x1']);
});

test('a start starts what the service depends on, a stop stops it alone', () => {
  const stopped = after(up(DB, API, WEB), { kind: 'stop', services: 'all' });
  assert.deepEqual(words(applyOperation(stopped, { kind: 'start', services: ['api'] })), [
    'db x1',
    'api x1',
    'web x1 stopped',
  ]);
  assert.deepEqual(words(after(up(DB, API), { kind: 'stop', services: ['db'] })), [
    'db x1 stopped',
    'api x1',
  ]);
});

test('a restart takes along what follows', () => {
  const stopped = after(up(DB, API, WEB), { kind: 'stop', services: 'all' });
  const model = applyOperation(stopped, { kind: 'restart', services: ['api'] });
  assert.deepEqual(words(model), ['db x1 stopped', 'api x1', 'web x1']);
});

test('scale changes the number of instances, wanted or not', () => {
  const model = after(
    up(DB),
    { kind: 'stop', services: ['db'] },
    { kind: 'scale', service: 'db', instances: 4 },
  );
  assert.deepEqual(words(model), ['db x4 stopped']);
});

test('what is deleted is gone, and nothing brings it back but up', () => {
  const gone = after(up(DB), { kind: 'delete', services: ['db'] }, { kind: 'start', services: ['db'] });
  assert.deepEqual(words(applyOperation(gone, { kind: 'scale', service: 'db', instances: 2 })), []);
});

test('the same operation twice is the same as once', () => {
  const before = after(up(DB, API, WEB), { kind: 'stop', services: ['web'] });
  const requests: OperationRequest[] = [
    { kind: 'up', services: [API], prune: true },
    { kind: 'start', services: ['web'] },
    { kind: 'restart', services: 'all' },
    { kind: 'delete', services: ['db'] },
    { kind: 'scale', service: 'api', instances: 0 },
    { kind: 'signal', service: 'api', signal: 'SIGHUP' },
  ];
  for (const request of requests) {
    const once = applyOperation(before, request);
    assert.deepEqual(applyOperation(once, request), once);
  }
});

function after(...requests: OperationRequest[]): Model {
  return requests.reduce((model, request) => applyOperation(model, request), EMPTY_MODEL);
}

function up(...services: ServiceSpec[]): OperationRequest {
  return { kind: 'up', services };
}

function service(name: string, change: Partial<ServiceSpec> = {}): ServiceSpec {
  return { ...BARE, name, ...change };
}

function words(model: Model): string[] {
  return [...model.values()].map(
    ({ spec, isWanted }) => `${spec.name} x${spec.instances}${isWanted ? '' : ' stopped'}`,
  );
}

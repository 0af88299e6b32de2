import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LOGS, type OperationRequest, type ServiceSpec } from '../protocol/index.js';
import { foresee, planSteps, type Ahead, type ExistingServices } from './plan.js';

const API: ServiceSpec = {
  name: 'api',
  script: null,
  argv: ['/bin/sleep', '1000'],
  cwd: '/',
  user: null,
  group: null,
  instances: 1,
  env: {},
  envFiles: [],
  secrets: {},
  ports: [],
  dependsOn: {},
  restartWithDependencies: false,
  restart: {
    policy: 'always',
    stopExitCodes: [],
    delayMs: 100,
    maxDelayMs: 15_000,
    stableMs: 10_000,
    limit: 10,
    windowMs: 120_000,
    retryMs: 60_000,
  },
  stop: { signal: 'SIGTERM', drainMs: 10_000, graceMs: 10_000, message: false, killScope: 'tree' },
  sockets: { inherit: 'auto', holdMs: 30_000, paths: [] },
  preload: true,
  reload: { maxSurge: 1, maxUnavailable: 0, stableMs: 1000, verify: null },
  ready: { on: 'start', timeoutMs: 30_000 },
  health: null,
  eventLoop: null,
  limits: { memoryBytes: null },
  logs: DEFAULT_LOGS,
  alerts: [],
  schedule: null,
  watch: null,
  release: null,
  origin: { file: '/srv/upkeep.config.ts', profile: null },
};
const NONE: ExistingServices = new Map();
const RUNNING: ExistingServices = new Map([['api', { spec: API, isWanted: true }]]);
const stop: OperationRequest = { kind: 'stop', services: ['api'] };
const remove: OperationRequest = { kind: 'delete', services: ['api'] };

test('what will be stopped is started, not kept', () => {
  assert.deepEqual(actions(up(API), RUNNING), ['api: keep']);
  assert.deepEqual(actions(up(API), RUNNING, [stop]), ['api: start']);
});

test('what will be deleted is created, and cannot be restarted', () => {
  assert.deepEqual(actions(up(API), RUNNING, [remove]), ['api: create']);
  assert.throws(() => actions({ kind: 'restart', services: ['api'] }, RUNNING, [remove]), {
    code: 'service-not-found',
  });
});

test('what will be there counts: "all" means it, its name is taken', () => {
  assert.deepEqual(actions({ kind: 'stop', services: 'all' }, NONE, [up(API)]), ['api: stop']);
  const create: OperationRequest = { kind: 'up', services: [API], create: true };
  assert.throws(() => actions(create, NONE, [up(API)]), { code: 'service-exists' });
});

test('a change back is a change, while the change before it waits', () => {
  const changed = { ...API, cwd: '/srv' };
  assert.deepEqual(actions(up(API), RUNNING, [up(changed)]), ['api: reload']);
  const scaled: OperationRequest = { kind: 'scale', service: 'api', instances: 3 };
  assert.deepEqual(actions(up(API), RUNNING, [scaled]), ['api: update']);
});

test('an operation that is done already changes nothing when it is counted again', () => {
  const ahead: readonly OperationRequest[] = [remove, up({ ...API, instances: 2 }), stop];
  const once = after(RUNNING, ahead);
  assert.deepEqual(after(once, ahead), once);
});

test('a signal changes nothing', () => {
  const signal: OperationRequest = { kind: 'signal', service: 'api', signal: 'SIGHUP' };
  assert.deepEqual(after(RUNNING, [signal]), RUNNING);
});

function up(...services: ServiceSpec[]): OperationRequest {
  return { kind: 'up', services };
}

/** The steps of a request that comes in while others wait. */
function actions(
  request: OperationRequest,
  existing: ExistingServices,
  ahead: readonly OperationRequest[] = [],
): string[] {
  return planSteps(request, after(existing, ahead)).map(({ service, action }) => `${service}: ${action}`);
}

function after(existing: ExistingServices, requests: readonly OperationRequest[]): ExistingServices {
  const ahead: Ahead[] = [];
  for (const request of requests)
    ahead.push({ request, steps: planSteps(request, foresee(existing, ahead)) });
  return foresee(existing, ahead);
}

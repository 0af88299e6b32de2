import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceStatus, ServiceStatus } from '../protocol/index.js';
import { createInstance } from './instance.js';
import { NO_FAILURES } from './restart.js';
import { instanceStatus, serviceStatus } from './status.js';

const ALIVE = { attempt: 1, history: NO_FAILURES, since: 0 };
const WAITING = { id: 'waiting', attempt: 1, history: NO_FAILURES, until: 1, reason: '' } as const;

test('an instance has the status of its state', () => {
  assert.equal(instanceStatus(createInstance()), 'stopped');
  assert.equal(instanceStatus({ id: 'completed', attempt: 1, reason: '' }), 'completed');
  assert.equal(instanceStatus({ ...ALIVE, id: 'starting' }), 'starting');
  assert.equal(instanceStatus({ ...ALIVE, id: 'running' }), 'running');
  const leaving = { ...ALIVE, isDraining: false, isGone: true, killAt: 0 };
  assert.equal(instanceStatus({ ...leaving, id: 'stopping', next: 'stop' }), 'stopping');
});

test('an instance whose leftovers are being ended is shown as stopping', () => {
  const ending = { kind: 'exited', code: 1 } as const;
  assert.equal(
    instanceStatus({ ...ALIVE, id: 'ending', isDraining: false, isGone: true, killAt: 0, ending, at: 0 }),
    'stopping',
  );
});

test('an instance that waits in a crash loop is shown as crashed', () => {
  assert.equal(instanceStatus({ ...WAITING, isCrashLoop: false }), 'waiting');
  assert.equal(instanceStatus({ ...WAITING, isCrashLoop: true }), 'crashed');
});

test('a service is what all its instances are, else what they are becoming, else degraded', () => {
  const cases: [InstanceStatus[], ServiceStatus][] = [
    [[], 'stopped'],
    [['running'], 'running'],
    [['crashed', 'crashed'], 'crashed'],
    [['completed', 'completed'], 'completed'],
    [['starting', 'running'], 'starting'],
    [['running', 'stopping'], 'stopping'],
    [['running', 'crashed'], 'degraded'],
    [['running', 'stopped'], 'degraded'],
    [['running', 'waiting', 'starting'], 'degraded'],
  ];
  for (const [instances, expected] of cases) assert.equal(serviceStatus(instances), expected);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCycle, startOrder, withFollowers, type Dependent } from './dependency.js';

test('a service starts after what it depends on, otherwise in the order of the file', () => {
  const services = [service('web', ['api']), service('mail'), service('api', ['db']), service('db')];
  assert.deepEqual(startOrder(services), ['db', 'api', 'web', 'mail']);
});

test('a dependency that is not among the services is ignored', () => {
  assert.deepEqual(startOrder([service('api', ['elsewhere'])]), ['api']);
  assert.equal(findCycle([service('api', ['elsewhere'])]), undefined);
});

test('a cycle is told as the names along it, without what leads to it', () => {
  const services = [service('web', ['api']), service('api', ['db']), service('db', ['api'])];
  assert.deepEqual(findCycle(services), ['api', 'db', 'api']);
});

test('a service that depends on itself is a cycle', () => {
  assert.deepEqual(findCycle([service('api', ['api'])]), ['api', 'api']);
});

test('two ways to the same dependency are no cycle', () => {
  const services = [service('web', ['api', 'db']), service('api', ['db']), service('db')];
  assert.equal(findCycle(services), undefined);
});

test('a restart takes along those that want to be restarted with it, step by step', () => {
  const services = [
    follower('web', ['api']),
    follower('api', ['db']),
    service('report', ['db']),
    follower('mail', ['report']),
    service('db'),
  ];
  assert.deepEqual(withFollowers(['db'], services), ['db', 'api', 'web']);
});

function service(name: string, dependencies: readonly string[] = []): Dependent {
  const dependsOn = Object.fromEntries(dependencies.map((other) => [other, 'ready' as const]));
  return { name, dependsOn, restartWithDependencies: false };
}

function follower(name: string, dependencies: readonly string[]): Dependent {
  return { ...service(name, dependencies), restartWithDependencies: true };
}

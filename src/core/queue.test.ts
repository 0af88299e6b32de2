import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinable, runnable, type QueuedOperation } from './queue.js';

test('operations on different services run side by side', () => {
  assert.deepEqual(ids(runnable([waiting('1', 'api'), waiting('2', 'db')])), ['1', '2']);
});

test('an operation waits for the running ones that it shares a service with', () => {
  assert.deepEqual(ids(runnable([running('1', 'api'), waiting('2', 'api', 'db')])), []);
});

test('an operation waits for an earlier one even if that one only waits itself', () => {
  const queue = [running('1', 'api'), waiting('2', 'api', 'db'), waiting('3', 'db')];
  assert.deepEqual(ids(runnable(queue)), []);
});

test('a request joins the same wish that has not begun', () => {
  const queue = [running('1', 'api'), waiting('2', 'api')];
  assert.equal(joinable(queue, 'restart api', new Set(['api']))?.id, '2');
});

test('a request never joins what is running already', () => {
  assert.equal(joinable([running('1', 'api')], 'restart api', new Set(['api'])), undefined);
});

test('a request never joins across another operation on its services', () => {
  const queue = [waiting('1', 'api'), { ...waiting('2', 'api', 'db'), key: 'stop api,db' }];
  assert.equal(joinable(queue, 'restart api', new Set(['api'])), undefined);
});

test('a request joins across operations on other services', () => {
  const queue = [waiting('1', 'api'), waiting('2', 'db')];
  assert.equal(joinable(queue, 'restart api', new Set(['api']))?.id, '1');
});

function waiting(id: string, ...services: readonly string[]): QueuedOperation {
  return { id, services: new Set(services), key: `restart ${services.join()}`, isRunning: false };
}

function running(id: string, ...services: readonly string[]): QueuedOperation {
  return { ...waiting(id, ...services), isRunning: true };
}

function ids(operations: readonly QueuedOperation[]): string[] {
  return operations.map(({ id }) => id);
}

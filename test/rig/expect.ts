/** What tests often say of operations. */
import assert from 'node:assert/strict';
import type { Failure, OperationView } from '../../src/protocol/index.js';

export function assertSucceeded(operation: OperationView): void {
  assert.equal(operation.status, 'succeeded', JSON.stringify(operation.steps, null, 2));
}

/** The failure of the only step that failed. */
export function failureOf({ status, steps }: OperationView): Failure {
  assert.equal(status, 'failed');
  const failures = steps.flatMap(({ failure }) => failure ?? []);
  assert.equal(failures.length, 1, JSON.stringify(steps, null, 2));
  return failures[0]!;
}

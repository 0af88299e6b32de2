import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationStep, OperationView } from '../../protocol/index.js';
import { failuresOf, formatOperations, summarize, wordNames } from './operation.js';
import { wordProgress } from './progress.js';

test('a summary names few services and counts many', () => {
  const steps = [step('api', 'create'), step('web', 'create'), step('db', 'keep')];
  assert.equal(summarize(operation({ steps })), 'Created api and web, unchanged db (1s)');
  assert.equal(summarize(operation({ steps: [] })), 'Nothing to do (1s)');
  assert.equal(wordNames(['a', 'b', 'c']), 'a, b and c');
  assert.equal(wordNames(['a', 'b', 'c', 'd', 'e']), '5 services');
});

test('each failed step is reported in its own words', () => {
  const failure = { code: 'not-ready', message: 'Cannot start "web": port 80 is in use', hint: 'free it' };
  const steps = [
    step('api', 'start'),
    { ...step('web', 'start', 'failed'), failure },
    step('mail', 'stop', 'failed'),
    step('late', 'start', 'skipped'),
  ];
  assert.deepEqual(failuresOf(operation({ status: 'failed', steps })), [
    failure,
    { message: 'Cannot stop "mail": the daemon gave no reason' },
  ]);
});

test('progress says what is waited for', () => {
  const steps = [step('db', 'start'), step('api', 'start', 'running'), step('web', 'start', 'pending')];
  assert.equal(wordProgress(operation({ status: 'running', steps })), 'start: waiting for api (1 of 3 done)');
  assert.equal(wordProgress(operation({ status: 'queued', steps })), 'start: waiting for earlier operations');
});

test('the table tells who asked', () => {
  const nobody = operation({}).requester;
  const joined = [nobody, nobody];
  const lines = formatOperations([
    operation({ requester: { ...nobody, service: 'cron', instance: 2, uid: 0 }, joined }),
    operation({ requester: { ...nobody, uid: 1000, pid: 4121, command: 'sh deploy.sh' } }),
    operation({}),
  ]).split('\n');
  assert.match(lines[1]!, / cron\.2 and 2 more$/);
  assert.match(lines[2]!, / uid 1000, pid 4121 \(sh deploy\.sh\)$/);
  assert.match(lines[3]!, / unknown$/);
});

function step(
  service: string,
  action: OperationStep['action'],
  status: OperationStep['status'] = 'done',
): OperationStep {
  return { service, action, status, startedAt: null, finishedAt: null };
}

function operation(parts: Partial<OperationView>): OperationView {
  return {
    id: '7',
    kind: 'start',
    status: 'succeeded',
    requester: { uid: null, pid: null, command: null, service: null, instance: null, attempt: null },
    joined: [],
    acceptedAt: '2024-03-09T14:00:00.000Z',
    startedAt: '2024-03-09T14:00:01.000Z',
    finishedAt: '2024-03-09T14:00:02.000Z',
    steps: [step('api', 'start')],
    ...parts,
  };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceView, ServiceView } from '../../protocol/index.js';
import { formatServices } from './service.js';

const NOW = Date.parse('2024-03-09T14:00:00.000Z');

test('a service with one instance is one row', () => {
  const [, row] = lines([
    service('api', [instance({ pid: 4121, uptimeMs: 200_000, rssBytes: 3 * 1024 ** 2, cpuPercent: 12.34 })]),
  ]);
  assert.match(row!, /^api +running +1 +4121 +0 +3m 20s +12\.3% +3\.0 MB$/);
});

test('several instances have rows of their own below their sum', () => {
  const two = [
    instance({ cpuPercent: 1, uptimeMs: 1000 }),
    instance({ index: 1, status: 'starting', cpuPercent: 2 }),
  ];
  const [, head, first, second] = lines([service('api', two)]);
  assert.match(head!, /^api +running +1\/2 +0 +1s +3\.0%$/);
  assert.match(first!, /^ {2}0 +running/);
  assert.match(second!, /^ {2}1 +starting/);
});

test('many instances are shown as their sum only', () => {
  const many = Array.from({ length: 60 }, (_, index) => instance({ index }));
  assert.equal(lines([service('api', many)]).length, 2);
});

test('what does not run tells why, and when it will again', () => {
  const exit = {
    ...({ attempt: 3, kind: 'exited', code: 1, signal: null, askedBy: null } as const),
    ...{ reason: 'exit code 1', at: '2024-03-09T13:59:58.000Z', livedMs: 20, leftBehind: 0, lastLines: [] },
  };
  const waiting = instance({ status: 'waiting', exit, nextStartAt: '2024-03-09T14:00:05.000Z' });
  const [, row] = lines([{ ...service('api', [waiting]), status: 'waiting' }]);
  assert.match(row!, /exit code 1, next start in 5s$/);
  const [title] = lines([service('api', [instance({ exit })])]);
  assert.doesNotMatch(title!, /LAST EXIT/);
});

test('an unhealthy instance shows on its service', () => {
  assert.match(lines([service('api', [instance({ healthy: false })])])[1]!, /running \(unhealthy\)/);
});

function lines(services: ServiceView[]): string[] {
  return formatServices(services, NOW).split('\n');
}

function service(name: string, instances: InstanceView[]): ServiceView {
  return { name, status: 'running', restarts: 0, ports: [], instances };
}

function instance(parts: Partial<InstanceView>): InstanceView {
  return {
    ...{ index: 0, role: 'serving', pid: null, status: 'running', healthy: null, attempt: 1 },
    ...{ startedAt: null, uptimeMs: null, rssBytes: null, cpuPercent: null },
    ...parts,
  };
}

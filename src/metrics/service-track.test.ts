import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitView, InstanceStatus, Level } from '../protocol/index.js';
import { ServiceTrack, type InstanceNews } from './service-track.js';
import type { HistoryRecord } from './record.js';

const START = Date.parse('2026-01-01T00:00:00Z');

test('a death counts from the moment that the shim names, and is noticed when it is heard', () => {
  const track = running();
  assert.deepEqual(track.note(exited(1, 10_000, { diedAt: 9_000 })), []);
  assert.deepEqual(seen(track.note(status(1, 'running', 'waiting', 10_000))), [
    ...['fault 9 heard 10 crash: ended by SIGKILL, not sent by upkeep', 'level 9 down'],
  ]);
  assert.deepEqual(seen(track.note(status(2, 'waiting', 'starting', 11_000))), ['restart 11']);
  assert.deepEqual(seen(track.note(status(2, 'starting', 'running', 12_000))), ['level 12 up']);
});

test('a job that has done its work was never down', () => {
  const track = running();
  const done = { kind: 'exited', code: 0, signal: null, reason: 'exit code 0' } as const;
  track.note(exited(1, 10_000, done));
  assert.deepEqual(seen(track.note(status(1, 'running', 'completed', 10_000))), ['level 10 off']);
});

test('one of two that dies leaves the service degraded', () => {
  const track = running();
  track.note(status(1, 'stopped', 'starting', 1000, 1));
  track.note(status(1, 'starting', 'running', 2000, 1));
  track.note(exited(1, 3000, {}, 1));
  assert.deepEqual(seen(track.note(status(1, 'running', 'starting', 3000, 1))).slice(1), [
    'level 3 degraded',
  ]);
});

test('a hang counts from when the probes say that it began', () => {
  const track = running();
  const since = new Date(START + 5000).toISOString();
  const news = {
    ...base(1, 9000),
    type: 'instance-health',
    healthy: false,
    detail: 'no answer',
    since,
  } as const;
  assert.deepEqual(seen(track.note(news)), [
    'fault 5 heard 9 unhealthy: unhealthy: no answer',
    'level 5 down',
  ]);
});

test('a stop that somebody asks for switches it off, a restart takes it down until it runs again', () => {
  const track = running();
  assert.deepEqual(seen(track.begin({ id: '7', kind: 'restart', by: 'root' }, START)), ['operation 0']);
  assert.deepEqual(seen(track.note(status(1, 'running', 'stopping', 1000))), ['level 1 down']);
  const asked = { askedBy: 'operation 7 (restart)' };
  assert.deepEqual(seen(track.note(exited(1, 2000, asked))), [
    'fault 2 heard 2 operator: operation 7 (restart) by root',
  ]);
  assert.deepEqual(track.note(status(1, 'stopping', 'stopped', 2000)), []);
  assert.deepEqual(track.note(status(2, 'stopped', 'starting', 2100)), []);
  assert.deepEqual(seen(track.note(status(2, 'starting', 'running', 2500))), ['level 2.5 up']);
  track.end('7', START + 2600);
  track.begin({ id: '8', kind: 'stop', by: null }, START + 3000);
  assert.deepEqual(seen(track.note(status(2, 'running', 'stopping', 3000))), ['level 3 off']);
});

test('a reload that goes well is nothing to speak of', () => {
  const track = running();
  const records = [
    track.note(status(2, 'stopped', 'starting', 1000)),
    track.note(status(2, 'starting', 'running', 2000)),
    track.note(status(1, 'running', 'stopping', 2100)),
    track.note(status(1, 'stopping', 'stopped', 2200)),
  ];
  assert.deepEqual(records.flat(), []);
  assert.equal(track.level, 'up');
});

test('a first start is no outage until it has failed', () => {
  const track = new ServiceTrack(undefined, true);
  assert.deepEqual(track.note(status(1, 'stopped', 'starting', 0)), []);
  track.note(exited(1, 1000));
  assert.deepEqual(seen(track.note(status(1, 'starting', 'waiting', 1000))).at(-1), 'level 1 down');
});

test('what a new daemon finds alive has lived all along', () => {
  const track = new ServiceTrack('up');
  track.note({ ...base(3, 60_000), type: 'instance-adopted', pid: 7, status: 'running' });
  assert.deepEqual(track.settle(START + 1000), []);
  assert.equal(track.level, 'up');
});

test('what died while no daemon lived went down then', () => {
  const track = new ServiceTrack('up');
  track.note(exited(3, 60_000, { diedAt: 30_000 }));
  track.note(status(4, 'running', 'starting', 60_000));
  assert.deepEqual(seen(track.settle(START + 1000)), [
    'fault 30 heard 60 crash: ended by SIGKILL, not sent by upkeep',
    ...['level 30 down', 'restart 60'],
  ]);
});

test('of what is gone without a trace nobody knows since when', () => {
  const track = new ServiceTrack('up');
  track.note(status(4, 'stopped', 'starting', 60_000));
  track.note(status(4, 'starting', 'running', 61_000));
  assert.deepEqual(seen(track.settle(START + 1000)), ['level 1 unobserved', 'level 60 down', 'level 61 up']);
});

test('what was down stays down while no daemon lives: nobody else starts anything', () => {
  const track = new ServiceTrack('down');
  track.note(status(4, 'stopped', 'starting', 60_000));
  assert.deepEqual(track.settle(START + 1000), []);
});

function running(): ServiceTrack {
  const track = new ServiceTrack(undefined, true);
  track.note(status(1, 'stopped', 'starting', 0));
  track.note(status(1, 'starting', 'running', 0));
  const level: Level = track.level;
  assert.equal(level, 'up');
  return track;
}

function base(attempt: number, atMs: number, instance = 0) {
  return { seq: 1, at: new Date(START + atMs).toISOString(), service: 'api', instance, attempt };
}

function status(
  attempt: number,
  from: InstanceStatus,
  to: InstanceStatus,
  atMs: number,
  instance = 0,
): InstanceNews {
  return { ...base(attempt, atMs, instance), type: 'instance-status', pid: null, from, to };
}

function exited(
  attempt: number,
  atMs: number,
  { diedAt = atMs, ...its }: Partial<ExitView> & { diedAt?: number } = {},
  instance = 0,
): InstanceNews {
  const exit: ExitView = {
    ...{ attempt, kind: 'signalled', code: null, signal: 'SIGKILL', askedBy: null },
    reason: 'ended by SIGKILL, not sent by upkeep',
    at: new Date(START + diedAt).toISOString(),
    ...{ livedMs: 1000, leftBehind: 0, lastLines: [] },
    ...its,
  };
  return { ...base(attempt, atMs, instance), type: 'instance-exited', exit };
}

/** In seconds since the beginning. */
function seen(records: readonly HistoryRecord[]): string[] {
  return records.map((record) => {
    const at = (record.t - START) / 1000;
    if (record.k === 'level') return `level ${at} ${record.to}`;
    if (record.k === 'fault')
      return `fault ${at} heard ${(record.heard - START) / 1000} ${record.kind}: ${record.words}`;
    return `${record.k} ${at}`;
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../finding.js';
import type { FileFact } from '../machine.js';
import { HOME, idsOf, machineOf, NOW, serviceOf } from '../made-up-machine.js';
import { findDaemon } from './daemon.js';
import { findDisk } from './disk.js';
import { findLogs } from './logs.js';
import { findOperations } from './operations.js';
import { findPermissions } from './permissions.js';
import { findRunFolders } from './run-folders.js';

const MiB = 1024 ** 2;
const file = (path: string, change: Partial<FileFact> = {}): FileFact => ({
  path,
  kind: 'file',
  uid: 0,
  bytes: 10,
  changedAt: NOW,
  readableBy: 'owner',
  ...change,
});

test('a disk is full by share and by size', () => {
  const space = (freeBytes: number, totalBytes: number): string | undefined =>
    findDisk(machineOf({}, { disk: { totalBytes, freeBytes, totalInodes: 0, freeInodes: 0 } }))[0]?.severity;
  assert.equal(space(50 * MiB, 100 * MiB), undefined, 'small and half empty');
  assert.equal(space(2e12, 1e14), undefined, '2% of a huge one');
  assert.equal(space(500 * MiB, 1e11), 'warning');
  assert.equal(space(10 * MiB, 1e11), 'error');
});

test('log files beyond the limit may be removed, logs of deleted services only by hand', () => {
  const files = [
    file(`${HOME}/logs/api/out.log`),
    file(`${HOME}/logs/api/out.log.5`),
    file(`${HOME}/logs/api/out.log.100.gz`),
    file(`${HOME}/logs/api/err-2.log.101.gz`),
    file(`${HOME}/logs/old/out.log`, { bytes: 200 * MiB }),
  ];
  const [surplus, abandoned] = findLogs(machineOf({}, { files }));
  assert.deepEqual(surplus?.repair, {
    kind: 'remove',
    paths: [`${HOME}/logs/api/err-2.log.101.gz`],
    lock: null,
  });
  assert.equal(abandoned?.command, `rm -r ${HOME}/logs/old`);
  assert.equal(abandoned?.repair, undefined);
});

test('logs that take more than their service may are told', () => {
  const find = (bytes: number): string[] =>
    idsOf(findLogs(machineOf({}, { files: [file(`${HOME}/logs/api/out.log.1.gz`, { bytes })] })));
  assert.deepEqual(find(205 * MiB), []);
  assert.deepEqual(find(300 * MiB), ['logs-overfull']);
});

test('an operation that has not ended is told after five minutes', () => {
  const requester = { uid: 0, pid: 1, command: '', service: null, instance: null, attempt: null };
  const view = (minutes: number) => ({
    id: '7',
    kind: 'restart' as const,
    status: 'queued' as const,
    requester,
    joined: [],
    acceptedAt: new Date(NOW - minutes * 60_000).toISOString(),
    startedAt: null,
    finishedAt: null,
    steps: [],
  });
  const find = (minutes: number): Finding[] =>
    findOperations(machineOf({ answer: { kind: 'none', why: '' } }, { unfinished: [view(minutes)] }));
  assert.deepEqual(find(4), []);
  assert.equal(find(6)[0]?.command, 'upkeep daemon start');
});

test('no daemon is worse where something is down; one that is silent is named', () => {
  const none = { answer: { kind: 'none', why: 'no answer' } } as const;
  const gone = { daemon: undefined, lockOwner: undefined };
  assert.equal(findDaemon(machineOf(none, gone))[0]?.severity, 'warning');
  assert.equal(findDaemon(machineOf(none, { ...gone, instances: [] }))[0]?.severity, 'error');
  assert.deepEqual(findDaemon(machineOf(none, { ...gone, services: [] })), []);
  assert.deepEqual(idsOf(findDaemon(machineOf(none))), ['daemon-not-answering']);
});

test('another version takes over in place, but for a daemon of an init system', () => {
  const answer = machineOf().answer;
  assert.ok(answer.kind === 'answers');
  const find = (guardian: number | null) => {
    const daemon = { ...answer.daemon, guardian, version: '0.9.0' };
    return findDaemon(machineOf({ answer: { ...answer, daemon } }))[0]?.command;
  };
  assert.equal(find(9), 'upkeep daemon upgrade');
  assert.equal(find(null), 'upkeep daemon stop && upkeep daemon start');
});

test('a socket is stale only where nobody holds the lock and nothing has to be started', () => {
  const none = { answer: { kind: 'none', why: 'refused' } } as const;
  const files = [file(`${HOME}/daemon.sock`, { kind: 'socket' })];
  const gone = { daemon: undefined, lockOwner: undefined, files };
  const [finding] = findDaemon(machineOf(none, { ...gone, services: [] }));
  assert.equal(finding?.id, 'stale-socket');
  assert.deepEqual(finding?.repair, {
    kind: 'remove',
    paths: [`${HOME}/daemon.sock`],
    lock: `${HOME}/daemon.lock`,
  });
  assert.deepEqual(idsOf(findDaemon(machineOf(none, gone))), ['daemon-not-running']);
  assert.deepEqual(findDaemon(machineOf({}, { files })), []);
});

test('a run folder is left to a daemon that lives, and to the next one where it has to read it', () => {
  const run = (name: string, age: number) => ({
    path: `${HOME}/run/${name}`,
    isShimAlive: false,
    changedAt: NOW - age,
  });
  const runs = [run('api.0.1.x', 1000), run('ghost.0.1.x', 1000)];
  assert.deepEqual(findRunFolders(machineOf({}, { runs })), [], 'it may be about to clear them away');
  const old = [run('api.0.1.x', 600_000), run('ghost.0.1.x', 600_000)];
  assert.equal(findRunFolders(machineOf({}, { runs: old })).length, 1);
  const [finding] = findRunFolders(machineOf({}, { runs, lockOwner: undefined }));
  assert.deepEqual(finding?.evidence['paths'], [`${HOME}/run/ghost.0.1.x`]);
  assert.equal(finding?.repair?.kind === 'remove' && finding.repair.lock, `${HOME}/daemon.lock`);
});

test('a home is closed by --fix, an env file only by its owner, and only where it has a secret', () => {
  const files = [file(`${HOME}/state.json`, { readableBy: 'group' })];
  const services = [serviceOf('api', { envFiles: ['/srv/.env', '/srv/plain.env'] })];
  const findings = findPermissions(
    machineOf(
      {
        file: (path) => file(path, { readableBy: 'everyone' }),
        namesIn: (path) => (path === '/srv/.env' ? ['DB_PASSWORD'] : ['LANG']),
      },
      { files, services },
    ),
  );
  assert.deepEqual(
    findings.map(({ id, repair }) => [id, repair]),
    [
      ['home-readable', { kind: 'chmod', path: HOME, mode: 0o700 }],
      ['secrets-readable', undefined],
    ],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBoot } from './checks/boot.js';
import { findClock } from './checks/clock.js';
import { findConfigurations } from './checks/configurations.js';
import { findDaemon } from './checks/daemon.js';
import { findDisk } from './checks/disk.js';
import { findEnvironments } from './checks/environments.js';
import { findHeldPorts } from './checks/held-ports.js';
import { findLimits } from './checks/limits.js';
import { findLogs } from './checks/logs.js';
import { findMemory } from './checks/memory.js';
import { findNodeVersions } from './checks/node-versions.js';
import { findOperations } from './checks/operations.js';
import { findPermissions } from './checks/permissions.js';
import { findPm2Daemons } from './checks/pm2-daemons.js';
import { findRestarts } from './checks/restarts.js';
import { findRunFolders } from './checks/run-folders.js';
import { findRuntimes } from './checks/runtimes.js';
import { findRunTwice } from './checks/run-twice.js';
import { findSharedPorts } from './checks/shared-ports.js';
import { findWrappers } from './checks/wrappers.js';
import type { Finding } from './finding.js';
import type { FileFact, Process } from './machine.js';
import {
  exitEvent,
  HOME,
  homeOfPath,
  instanceOf,
  machineOf,
  nodeOf,
  NOW,
  processOf,
  serviceOf,
  tableOf,
} from './made-up-machine.js';

const MiB = 1024 ** 2;
const idsOf = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id);
const port = (number: number) => ({ ports: [{ port: number, host: null, name: null }] });

const god = (pid: number, home: string, change: Partial<Process> = {}): Process =>
  nodeOf(pid, { argv: [`PM2 v5.4.3: God Daemon (${home})`], ...change });

test('a daemon of PM2 is known by its title, with version, home and applications', () => {
  const processes = tableOf([god(50, '/root/.pm2'), nodeOf(51, { parent: 50 }), nodeOf(60)]);
  const [finding, ...others] = findPm2Daemons(machineOf({ processes }));
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...finding?.evidence, since: null },
    {
      pid: 50,
      version: '5.4.3',
      home: '/root/.pm2',
      applications: 1,
      daemons: 1,
      executable: '/usr/bin/node',
      isExecutableGone: false,
      since: null,
    },
  );
  assert.equal(finding?.severity, 'warning');
  assert.equal(finding?.command, 'PM2_HOME=/root/.pm2 pm2 kill');
});

test('two daemons of PM2 in one home, or one without its Node.js, are an error', () => {
  const two = findPm2Daemons(machineOf({ processes: tableOf([god(50, '/p'), god(60, '/p')]) }));
  assert.deepEqual(
    two.map(({ severity, command }) => [severity, command]),
    [
      ['error', 'kill 50'],
      ['error', 'kill 60'],
    ],
  );
  const gone = god(50, '/p', { executable: { path: '/opt/node', now: 'gone' } });
  const [finding] = findPm2Daemons(machineOf({ processes: tableOf([gone]) }));
  assert.match(finding!.fact, /its executable \/opt\/node is gone$/);
});

test('an application is the same by its script, or by folder and command', () => {
  const api = serviceOf('api', { script: '/srv/app.js', argv: ['node', '/srv/app.js'], cwd: '/srv' });
  const run = (child: Process): Finding[] =>
    findRunTwice(machineOf({ processes: tableOf([god(50, '/p'), child]) }, { services: [api] }));
  assert.deepEqual(idsOf(run(nodeOf(51, { parent: 50, argv: ['node /srv/app.js'] }))), ['run-twice']);
  assert.deepEqual(idsOf(run(nodeOf(51, { parent: 50, argv: ['node', 'app.js'], cwd: '/srv' }))), [
    'run-twice',
  ]);
  const byVariable = { pm_exec_path: '/srv/app.js', pm_id: '3', name: 'shop', pm_cwd: '/srv' };
  const [finding] = run(nodeOf(51, { parent: 50, argv: ['title'], environment: byVariable }));
  assert.equal(finding?.command, 'PM2_HOME=/p pm2 delete 3');
  assert.deepEqual(run(nodeOf(51, { parent: 50, argv: ['node', '/srv/other.js'] })), []);
  assert.deepEqual(run(nodeOf(51, { parent: 1, argv: ['node', '/srv/app.js'] })), []);
});

test('a stopped service is run by nobody', () => {
  const api = { ...serviceOf('api', { script: '/srv/app.js' }), isWanted: false };
  const home = homeOfPath('/other', { services: [serviceOf('api', { script: '/srv/app.js' })] });
  const machine = machineOf({}, { services: [api] });
  assert.deepEqual(findRunTwice({ ...machine, homes: [machine.home, home] }), []);
});

test('two homes that declare a port are told, with how to stop the other one', () => {
  const machine = machineOf({}, { services: [serviceOf('api', port(80))] });
  const other = homeOfPath('/home/eve/.upkeep', { ownerUid: 1000, services: [serviceOf('shop', port(80))] });
  const [finding] = findSharedPorts({ ...machine, homes: [machine.home, other] });
  assert.equal(finding?.command, "sudo -u '#1000' UPKEEP_HOME=/home/eve/.upkeep upkeep stop shop");
});

test('a port is held by a stranger unless somebody of the home listens on it', () => {
  const stranger = nodeOf(99, { uid: 33 });
  const held = (...listeners: Process[]): Finding[] => {
    const machine = machineOf({ listenersOn: () => listeners }, { services: [serviceOf('api', port(80))] });
    return findHeldPorts({ ...machine, processes: tableOf([...machine.processes.values(), stranger]) });
  };
  const [finding] = held(stranger);
  assert.deepEqual(finding?.evidence, {
    port: 80,
    service: 'api',
    pid: 99,
    uid: 33,
    command: '/usr/bin/node /srv/app.js',
    since: '2026-03-01T11:59:00Z',
  });
  assert.deepEqual(held(stranger, processOf(22, { parent: 21 })), [], 'a child of the service listens, too');
  assert.match(held()[0]!.fact, /a process that cannot be seen/);
});

test('a program that was deleted or replaced is told, and how it is left', () => {
  const run = (now: 'gone' | 'replaced'): Finding[] => {
    const main = nodeOf(21, { executable: { path: '/opt/node', now } });
    const services = [serviceOf('api', { origin: { file: '/srv/upkeep.config.ts', profile: 'live' } })];
    return findRuntimes(machineOf({}, { services, instances: [instanceOf('api', main)] }));
  };
  assert.deepEqual(run('gone')[0]?.command, 'upkeep up /srv/upkeep.config.ts --profile live');
  assert.deepEqual(idsOf(run('replaced')), ['runtime-replaced']);
});

test('files that a start needs must be there, also where nothing runs', () => {
  const services = [serviceOf('api', { script: '/srv/app.js', envFiles: ['/srv/.env'] })];
  const missing = machineOf({ file: () => undefined }, { services, instances: [] });
  assert.deepEqual(findRuntimes(missing)[0]?.evidence, { service: 'api', path: '/bin/sleep' });
  const stopped = machineOf({ file: () => undefined }, { services: [{ ...services[0]!, isWanted: false }] });
  assert.deepEqual(findRuntimes(stopped), []);
});

test('the version of Node.js is judged by the first Node process of the tree', () => {
  const npm = processOf(21);
  const node = nodeOf(22, { parent: 21 });
  const instances = [instanceOf('api', npm, { tree: [npm, node] })];
  const judge = (range: string): Finding[] =>
    findNodeVersions(
      machineOf(
        { nodeVersionOf: ({ pid }) => `${pid}.0.0`, nodeDemandsOf: () => [{ file: '/srv/.nvmrc', range }] },
        { instances },
      ),
    );
  assert.deepEqual(judge('22'), []);
  assert.equal(judge('20')[0]?.evidence['pid'], 22);
  assert.deepEqual(judge('lts/*'), []);
});

test('a unit of another home does not start this one', () => {
  const unit = {
    path: '/etc/systemd/system/upkeep-x.service',
    scope: 'system',
    home: '/x',
    missing: [],
  } as const;
  const units = [{ ...unit, isEnabled: true, isLingering: true }];
  assert.deepEqual(idsOf(findBoot(machineOf({ units }))), ['not-started-at-boot']);
  assert.deepEqual(findBoot(machineOf({ units }, { services: [] })), [], 'nothing has to be started');
});

test('a unit of the user needs linger, every unit has to be enabled', () => {
  const unit = {
    path: '/home/eve/.config/systemd/user/upkeep.service',
    scope: 'user',
    home: HOME,
    missing: [],
  } as const;
  const units = [{ ...unit, isEnabled: false, isLingering: false }];
  assert.deepEqual(idsOf(findBoot(machineOf({ units }))), ['boot-unit-disabled', 'no-linger']);
});

test('a configuration is told by its keys; what somebody has stopped is on purpose', () => {
  const changes = [
    { service: 'api', action: 'recreate', changes: [{ key: 'env.TOKEN', from: '(set)', to: '(set)' }] },
    { service: 'web', action: 'start', changes: [] },
    { service: 'old', action: 'orphan', changes: [] },
  ] as const;
  const configurations = [
    {
      kind: 'read' as const,
      file: '/srv/c.json',
      changes: changes.map((each) => ({ ...each, changes: [...each.changes] })),
    },
  ];
  const findings = findConfigurations(machineOf({ configurations }));
  assert.deepEqual(
    findings.map(({ evidence }) => [evidence['service'], evidence['keys']]),
    [
      ['api', ['env.TOKEN']],
      ['old', []],
    ],
  );
  assert.match(findings[1]!.command, /--prune$/);
});

test('the environment is compared by what upkeep gives, and only names are told', () => {
  const environment = { UPKEEP_HOME: HOME, PATH: '/a', TOKEN: 'old-value', SAME: '1', GONE: '1', ASKED: 'x' };
  const main = processOf(21);
  const shim = processOf(20, { environment });
  const known = { PATH: '/b', TOKEN: 'new-value', SAME: '1', FRESH: '1' };
  const [finding] = findEnvironments(
    machineOf(
      { environmentOf: () => ({ known, unknown: ['ASKED'] }) },
      { instances: [instanceOf('api', main, { shim })] },
    ),
  );
  assert.deepEqual(finding?.evidence['names'], ['FRESH', 'GONE', 'TOKEN']);
  assert.doesNotMatch(JSON.stringify(finding), /-value/);
});

test('a disk is full by share and by size', () => {
  const space = (freeBytes: number, totalBytes: number): string | undefined =>
    findDisk(machineOf({}, { disk: { totalBytes, freeBytes, totalInodes: 0, freeInodes: 0 } }))[0]?.severity;
  assert.equal(space(50 * MiB, 100 * MiB), undefined, 'small and half empty');
  assert.equal(space(2e12, 1e14), undefined, '2% of a huge one');
  assert.equal(space(500 * MiB, 1e11), 'warning');
  assert.equal(space(10 * MiB, 1e11), 'error');
});

const file = (path: string, change: Partial<FileFact> = {}): FileFact => ({
  path,
  kind: 'file',
  uid: 0,
  bytes: 10,
  changedAt: NOW,
  readableBy: 'owner',
  ...change,
});

test('log files beyond the limit may be removed, logs of deleted services only by hand', () => {
  const files = [
    file(`${HOME}/logs/api/out.log`),
    file(`${HOME}/logs/api/out.log.5`),
    file(`${HOME}/logs/api/err.log.7`),
    file(`${HOME}/logs/old/out.log`, { bytes: 200 * MiB }),
  ];
  const [surplus, abandoned] = findLogs(machineOf({}, { files }));
  assert.deepEqual(surplus?.repair, { kind: 'remove', paths: [`${HOME}/logs/api/err.log.7`], lock: null });
  assert.equal(abandoned?.command, `rm -r ${HOME}/logs/old`);
  assert.equal(abandoned?.repair, undefined);
});

test('limits are low, or nearly used up', () => {
  const limit = (openFiles: number, open: number): string[] => {
    const descriptors = new Map(Array.from({ length: open }, (_, fd) => [fd, '/dev/null']));
    const main = processOf(21, { descriptors, limits: { openFiles, processes: Infinity } });
    return idsOf(findLimits(machineOf({}, { instances: [instanceOf('api', main)] })));
  };
  assert.deepEqual(limit(1024, 10), []);
  assert.deepEqual(limit(512, 10), ['open-files-limit']);
  assert.deepEqual(limit(1024, 1000), ['open-files-limit']);
  const few = { openFiles: 4096, processes: 10 };
  const daemonless = { daemon: undefined };
  const of = (uid: number): string[] =>
    idsOf(
      findLimits(
        machineOf({}, { ...daemonless, instances: [instanceOf('api', processOf(21, { uid, limits: few }))] }),
      ),
    );
  assert.deepEqual([of(0), of(33)], [[], ['process-limit']], 'root is exempt');
});

test('the clock has jumped where events or starts contradict it', () => {
  const events = [exitEvent(1, NOW - 5000), exitEvent(2, NOW - 500_000), exitEvent(3, NOW - 400_000)];
  assert.match(findClock(machineOf({}, { events }))[0]!.fact, /went back by 8m 15s: event 2/);
  const main = processOf(21);
  const instances = [instanceOf('api', main, { startedAt: NOW - 3_600_000 })];
  assert.match(findClock(machineOf({}, { instances }))[0]!.fact, /went forward by 59m/);
});

test('a service that ends often is told, but not what people or schedules did', () => {
  const events = (askedBy: string | null, count = 6) =>
    Array.from({ length: count }, (_, at) => exitEvent(at + 1, NOW - 60_000 + at, askedBy));
  const find = (list: ReturnType<typeof events>, spec = {}): string[] =>
    idsOf(findRestarts(machineOf({}, { events: list, services: [serviceOf('api', spec)] })));
  assert.deepEqual(find(events(null)), ['restarts-often']);
  assert.deepEqual(find(events('memory limit')), ['restarts-often']);
  assert.deepEqual(find(events('operation 7 (restart)')), []);
  assert.deepEqual(find(events(null, 4)), []);
  const schedule = { restart: null, run: '* * * * *', overlap: 'skip', timezone: null } as const;
  assert.deepEqual(find(events(null), { schedule }), [], 'a job ends, that is its nature');
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
  assert.deepEqual(findRunFolders(machineOf({}, { runs })), []);
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

test('a wrapper is a package manager or a shell with a command, in front of something', () => {
  const find = (argv: readonly string[], program = '/bin/sh'): string[] => {
    const main = processOf(21, { argv, executable: { path: program, now: 'same' } });
    const tree = [main, nodeOf(22, { parent: 21 })];
    return idsOf(findWrappers(machineOf({}, { instances: [instanceOf('api', main, { tree })] })));
  };
  assert.deepEqual(find(['npm start']), ['wrapper']);
  assert.deepEqual(find(['node', '/usr/bin/npm', 'start'], '/usr/bin/node'), ['wrapper']);
  assert.deepEqual(find(['node', '/usr/lib/node_modules/yarn/bin/yarn.js'], '/usr/bin/node'), ['wrapper']);
  assert.deepEqual(find(['/bin/sh', '-c', 'node x; true']), ['wrapper']);
  assert.deepEqual(find(['/bin/sh', '/srv/run.sh']), [], 'a script of its own');
});

test('a parent may collect the output of its child: by a pipe, or by a pair of sockets', () => {
  const find = (parentFds: readonly [number, string][], childFd: string): string[] => {
    const main = nodeOf(21, { descriptors: new Map([[1, 'pipe:[5]'], ...parentFds]) });
    const child = nodeOf(22, { parent: 21, descriptors: new Map([[1, childFd]]) });
    return idsOf(
      findWrappers(machineOf({}, { instances: [instanceOf('api', main, { tree: [main, child] })] })),
    );
  };
  assert.deepEqual(find([[9, 'pipe:[7]']], 'pipe:[7]'), ['captured-output']);
  assert.deepEqual(find([[9, 'socket:[100]']], 'socket:[101]'), ['captured-output']);
  assert.deepEqual(find([], 'pipe:[5]'), [], 'the child writes where its parent does');
  assert.deepEqual(find([[9, 'socket:[200]']], 'socket:[101]'), []);
});

test('the want of memory is told with its victims', () => {
  const memory = { oomKills: 2, victims: ['node (pid 7)'], swapTotalBytes: MiB, swapFreeBytes: 0 };
  assert.match(findMemory(machineOf({ memory }))[0]!.fact, /2 processes .* since boot: node \(pid 7\)$/);
  const main = processOf(21, { swapBytes: 100 * MiB });
  assert.deepEqual(idsOf(findMemory(machineOf({}, { instances: [instanceOf('api', main)] }))), [
    'swapped-out',
  ]);
});

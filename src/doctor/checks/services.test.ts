import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../finding.js';
import {
  exitEvent,
  HOME,
  idsOf,
  instanceOf,
  machineOf,
  nodeOf,
  NOW,
  processOf,
  serviceOf,
} from '../made-up-machine.js';
import { findConfigurations } from './configurations.js';
import { findEnvironments } from './environments.js';
import { findNodeVersions } from './node-versions.js';
import { findRestarts } from './restarts.js';
import { findRuntimes } from './runtimes.js';
import { findWrappers } from './wrappers.js';

test('a program that was deleted or replaced is told, and how it is left', () => {
  const run = (now: 'gone' | 'replaced'): Finding[] => {
    const main = nodeOf(21, { executable: { path: '/opt/node', now } });
    const services = [serviceOf('api', { origin: { file: '/srv/upkeep.config.ts', profile: 'live' } })];
    return findRuntimes(machineOf({}, { services, instances: [instanceOf('api', main)] }));
  };
  assert.deepEqual(run('gone')[0]?.command, 'upkeep up /srv/upkeep.config.ts --profile live');
  assert.deepEqual(idsOf(run('replaced')), ['runtime-replaced']);
});

test('a program that was deleted is replaced where the service names a link to another one', () => {
  const main = nodeOf(21, { executable: { path: '/opt/node-10/bin/node', now: 'gone' } });
  const run = (program: string): Finding[] => {
    const services = [serviceOf('api', { argv: [program, '/srv/app.js'] })];
    return findRuntimes(machineOf({}, { services, instances: [instanceOf('api', main)] }));
  };
  const [finding] = run('/opt/node/bin/node');
  assert.deepEqual([finding?.id, finding?.command], ['runtime-replaced', 'upkeep reload api']);
  assert.match(finding!.fact, /which was deleted; its next start runs \/opt\/node\/bin\/node$/);
  assert.deepEqual(idsOf(run('/opt/node-10/bin/node')), ['runtime-gone']);
  assert.deepEqual(idsOf(run('/usr/bin/npm')), ['runtime-gone'], 'which needs a Node.js itself');
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../finding.js';
import type { Process } from '../machine.js';
import {
  homeOfPath,
  idsOf,
  machineOf,
  nodeOf,
  NOW,
  processOf,
  serviceOf,
  tableOf,
} from '../made-up-machine.js';
import { findHeldPorts } from './held-ports.js';
import { findPm2Daemons } from './pm2-daemons.js';
import { findRunTwice } from './run-twice.js';
import { findSharedPorts } from './shared-ports.js';

const port = (number: number) => ({ ports: [{ port: number, host: null, name: null }] });
const god = (pid: number, home: string, change: Partial<Process> = {}): Process =>
  nodeOf(pid, { argv: [`PM2 v5.4.3: God Daemon (${home})`], ...change });

test('a daemon of PM2 is known by its title, with version, home and applications', () => {
  const processes = tableOf([
    god(50, '/root/.pm2'),
    nodeOf(51, { parent: 50 }),
    god(52, '/root/.pm2', { parent: 50 }), // forked, and not executed yet
    nodeOf(60),
  ]);
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
      isReached: true,
      since: null,
    },
  );
  assert.equal(finding?.severity, 'warning');
  assert.equal(finding?.command, 'PM2_HOME=/root/.pm2 pm2 kill');
});

test('two daemons of PM2 in one home, or one without its Node.js, are an error', () => {
  const later = god(60, '/p', { startedAt: NOW });
  const two = findPm2Daemons(machineOf({ processes: tableOf([god(50, '/p'), later]) }));
  assert.deepEqual(
    two.map(({ severity, command }) => [severity, command]),
    [
      ['error', 'PM2_HOME=/p pm2 kill'],
      ['error', 'kill 50'],
    ],
  );
  assert.match(two[1]!.fact, /pid 60 \(PM2 5\.4\.3\) uses the same home; the command pm2 does not reach it$/);
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
  const inCluster = { pm2_env: JSON.stringify({ ...byVariable, pm_id: 4 }) };
  assert.equal(
    run(nodeOf(51, { parent: 50, environment: inCluster }))[0]?.command,
    'PM2_HOME=/p pm2 delete 4',
  );
  assert.deepEqual(run(nodeOf(51, { parent: 50, argv: ['node', '/srv/other.js'] })), []);
  assert.deepEqual(run(nodeOf(51, { parent: 1, argv: ['node', '/srv/app.js'] })), []);
});

test('of two daemons in one home the one that pm2 speaks to keeps an application', () => {
  const environment = { pm_exec_path: '/srv/app.js', pm_id: '0', name: 'shop' };
  const gods = [god(50, '/p'), god(60, '/p', { startedAt: NOW })];
  const children = [nodeOf(51, { parent: 50, environment }), nodeOf(61, { parent: 60, environment })];
  const [finding] = findRunTwice(machineOf({ processes: tableOf([...gods, ...children]) }));
  assert.match(
    finding!.fact,
    /"shop" \(pid 61\) of PM2 in \/p, pid 60, "shop" \(pid 51\) of PM2 in \/p, pid 50$/,
  );
  assert.equal(finding?.command, 'kill 50', 'pm2 delete 0 would end the other one');
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

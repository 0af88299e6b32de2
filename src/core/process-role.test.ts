import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignProcessRoles, isWrapperCommand, type RoledProcess } from './process-role.js';

function row(pid: number, parent: number, command: string, isClusterWorker = false): RoledProcess {
  return { pid, parent, argv: command.split(' '), isClusterWorker };
}

function rolesOf(processes: readonly RoledProcess[]): string[] {
  const roles = assignProcessRoles(processes);
  return processes.map(({ pid }) => roles.get(pid)!);
}

test('a server behind npm and a shell is the main program, what it starts are children', () => {
  const tree = [
    row(1, 0, 'npm start'),
    row(2, 1, 'sh -c node\u00a0server.js'),
    row(3, 2, 'node server.js'),
    row(4, 3, 'convert a.png'),
  ];
  assert.deepEqual(rolesOf(tree), ['wrapper', 'wrapper', 'main', 'child']);
});

test('egg behind a wrapper of its own has a master, an agent and workers', () => {
  const tree = [
    row(1, 0, 'node index.js'),
    row(2, 1, 'npm exec egg-scripts start'),
    row(3, 2, 'node /srv/node_modules/egg-scripts/lib/start-cluster'),
    row(4, 3, 'node /srv/node_modules/egg-cluster/lib/agent_worker.js {}'),
    row(5, 3, 'node /srv/node_modules/egg-cluster/lib/app_worker.js {}', true),
  ];
  assert.deepEqual(rolesOf(tree), ['wrapper', 'wrapper', 'master', 'agent', 'worker']);
});

test('workers of cluster make their parent a master', () => {
  assert.deepEqual(rolesOf([row(1, 0, 'node a.js'), row(2, 1, 'node a.js', true)]), ['master', 'worker']);
});

test('who stands in front is known by its command, and a shell that a person uses is no wrapper', () => {
  for (const command of ['npx egg', 'node /usr/bin/npm-cli.js run x', 'env A=1 node b', 'timeout 5 node a'])
    assert.ok(isWrapperCommand(command.split(' ')), command);
  for (const command of ['node server.js', 'bash', 'node npm-stats.js'])
    assert.ok(!isWrapperCommand(command.split(' ')), command);
});

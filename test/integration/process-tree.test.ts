import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../rig/index.js';
import {
  childrenByParent,
  descendants,
  readProcessTable,
  readTree,
  withinTree,
  type ProcessRow,
} from '../../src/system/index.js';

/** Children of the main thread, of another thread, and of children; one of them has ended, and nobody has reaped it. */
const FAMILY = `
  const { spawn } = require('node:child_process');
  const { Worker } = require('node:worker_threads');
  spawn('sh', ['-c', 'sleep 1000 & sh -c "sleep 1000 & exec sleep 1000" & true & echo ready; exec sleep 1000'], { stdio: 'inherit' });
  new Worker("require('node:child_process').spawn('sh', ['-c', 'echo ready; exec sleep 1000'], { stdio: ['ignore', 1, 2] })", { eval: true });
`;

test('a tree is the same by the lists of children as by the whole table', async () => {
  const root = spawn(process.execPath, ['-e', FAMILY], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    while (said.split('ready').length < 3) said += String(...(await once(root.stdout, 'data')));
    const byTable = (): ProcessRow[] => descendants(childrenByParent(readProcessTable()), root.pid!);
    await until('all five sleep', () => byTable().filter(({ name }) => name === 'sleep').length === 5);
    assert.deepEqual(pids(readTree(root.pid!)), pids(byTable()));
    assert.deepEqual(readTree(2 ** 22 + 1), []);
  } finally {
    for (const { pid } of readTree(root.pid!)) process.kill(pid, 'SIGKILL');
    root.kill('SIGKILL');
  }
});

test('a stranger who got the number of one that has ended is not of the tree', () => {
  const row = (pid: number, parent: number): ProcessRow => ({
    ...{ pid, parent, startTicks: 1, name: 'x', state: 'S', cpuTicks: 0, rssBytes: 0 },
  });
  const rows = [row(11, 10), row(12, 1), row(13, 11), row(14, 10)];
  assert.deepEqual(pids(withinTree(10, rows)), [11, 13, 14]);
});

function pids(rows: readonly ProcessRow[]): number[] {
  return rows.map(({ pid }) => pid).sort((a, b) => a - b);
}

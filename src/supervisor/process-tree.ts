/** Looks at the processes below an instance: what each is for, what it uses, and which of them serves a port. */
import { assignProcessRoles } from '../core/index.js';
import type { InstanceTree, TreeProcess } from '../protocol/index.js';
import {
  childrenByParent,
  readArguments,
  readEnvironment,
  readListeners,
  startedAt,
  TICKS_PER_SECOND,
  type ProcessRow,
  type ProcessTable,
} from '../system/index.js';
import { maskCommand } from '../util/index.js';
import type { Instance } from './instance.js';

/** Node sets it for workers of cluster. */
const WORKER_VARIABLE = 'NODE_UNIQUE_ID';
const MAX_COMMAND = 400;

export function viewTree(service: string, instance: Instance, table: ProcessTable): InstanceTree {
  const { index, attempt, status, shim } = instance;
  const rows = shim === undefined ? [] : walk(table, shim.pid);
  const roled = rows.map(({ row: { pid, parent, name } }) => ({
    pid,
    parent,
    argv: readArguments(pid) ?? [`[${name}]`],
    isClusterWorker: readEnvironment(pid)?.[WORKER_VARIABLE] !== undefined,
  }));
  const roles = assignProcessRoles(roled);
  const listens = whereTheyListen(
    instance,
    rows.map(({ row }) => row.pid),
  );
  const processes = rows.map(({ row, depth }, at): TreeProcess => {
    const { pid, parent, rssBytes, cpuTicks } = row;
    const ageMs = Math.max(1, Date.now() - startedAt(row));
    const cpuPercent = Math.round(((cpuTicks / TICKS_PER_SECOND) * 1_000_000) / ageMs) / 10;
    const command = maskCommand(roled[at]!.argv.join(' '), MAX_COMMAND);
    const role = roles.get(pid) ?? 'child';
    return {
      pid,
      parent,
      depth,
      role,
      command,
      cpuPercent,
      rssBytes,
      ageMs: Math.round(ageMs),
      listens: listens.get(pid) ?? [],
    };
  });
  return { service, instance: index, attempt, status, processes };
}

/** Parents before their children, the oldest first. */
function walk(table: ProcessTable, shim: number): { row: ProcessRow; depth: number }[] {
  const children = childrenByParent(table);
  const below = (pid: number, depth: number): { row: ProcessRow; depth: number }[] =>
    (children.get(pid) ?? [])
      .filter(({ state }) => state !== 'Z')
      .sort((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)
      .flatMap((row) => [{ row, depth }, ...below(row.pid, depth + 1)]);
  return below(shim, 0);
}

/**
 * What the preload said is exact: of those that inherited a socket it names the one that accepts. Sockets of others are looked up
 * among their open files.
 */
function whereTheyListen({ listening }: Instance, pids: readonly number[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  const add = (pid: number, where: string): void => {
    const known = found.get(pid) ?? [];
    if (!known.includes(where)) found.set(pid, [...known, where]);
  };
  const living = listening.filter(({ pid }) => pids.includes(pid));
  const said = new Set(living.map(({ port }) => port));
  for (const { pid, address, port } of living)
    add(pid, address.startsWith('unix:') ? address : `${wordAddress(address)}:${port}`);
  for (const { pid, address, port } of readListeners(pids))
    if (!said.has(port)) add(pid, `${wordAddress(address)}:${port}`);
  return found;
}

function wordAddress(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

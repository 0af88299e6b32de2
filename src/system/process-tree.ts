/** Who lives below a process. */
import { existsSync, readdirSync } from 'node:fs';
import { readProcess, readProcessTable, type ProcessRow, type ProcessTable } from './process-table.js';
import { readOrUndefined } from './read-proc.js';

/** Children by parent, to walk many trees of one table without searching it each time. */
export function childrenByParent(table: ProcessTable): ReadonlyMap<number, readonly ProcessRow[]> {
  const children = new Map<number, ProcessRow[]>();
  for (const row of table.values()) {
    const siblings = children.get(row.parent);
    if (siblings) siblings.push(row);
    else children.set(row.parent, [row]);
  }
  return children;
}

/** Everything below `root`, which is not among them; zombies are left out: they are only waiting to be reaped. */
export function descendants(
  children: ReadonlyMap<number, readonly ProcessRow[]>,
  root: number,
): ProcessRow[] {
  const found: ProcessRow[] = [];
  const pending = [root];
  for (let pid = pending.pop(); pid !== undefined; pid = pending.pop()) {
    for (const row of children.get(pid) ?? []) {
      if (row.state !== 'Z') found.push(row);
      pending.push(row.pid);
    }
  }
  return found;
}

/**
 * Everything below `root` at this moment, as `descendants` finds it: from the kernel's lists of children, where there are any,
 * because looking at every process of the machine costs milliseconds.
 */
export function readTree(root: number): ProcessRow[] {
  const pids = walkChildren(root);
  if (!pids) return descendants(childrenByParent(readProcessTable()), root);
  const rows = pids.flatMap((pid) => readProcess(pid) ?? []);
  return withinTree(root, rows).filter(({ state }) => state !== 'Z');
}

/** Without a process that got the number of one which had ended before it was looked at: it must not be killed with the tree. */
export function withinTree(root: number, rows: readonly ProcessRow[]): ProcessRow[] {
  const tree = new Set([root, ...rows.map(({ pid }) => pid)]);
  return rows.filter(({ parent }) => tree.has(parent));
}

/** Only where the kernel was built with CONFIG_PROC_CHILDREN. */
const HAS_CHILDREN = existsSync('/proc/thread-self/children');
/** Each thread has a list of its own: beyond so many the whole table is cheaper. */
const MANY_THREADS = 64;
/** A list can lack a child while another one ends (proc(5)): it is believed when it says the same twice. */
const MAX_READS = 6;

function walkChildren(root: number): readonly number[] | undefined {
  if (!HAS_CHILDREN) return undefined;
  const found = [root];
  for (const pid of found) {
    const children = readChildren(pid);
    if (!children) return undefined;
    found.push(...children);
  }
  return found.slice(1);
}

/** undefined: they are better found in another way. */
function readChildren(pid: number): readonly number[] | undefined {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended
  }
  if (threads.length > MANY_THREADS) return undefined;
  const lists = threads.map((thread) => readSteadily(`/proc/${pid}/task/${thread}/children`));
  return lists.some((list) => list === undefined) ? undefined : lists.flatMap((list) => list!);
}

function readSteadily(path: string): readonly number[] | undefined {
  let before: string | undefined;
  for (let reads = 0; reads < MAX_READS; reads++) {
    const text = readOrUndefined(path) ?? ''; // the thread has ended
    if (text === '' || text === before) return text.split(' ').filter(Boolean).map(Number);
    before = text;
  }
  return undefined;
}

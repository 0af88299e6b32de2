/** The process tree of a service as /proc shows it, found twice: by environment and by parents. */
import { readFileSync } from 'node:fs';
import {
  childrenByParent,
  descendants,
  isAlive,
  readCommand,
  readProcessTable,
  type ProcessRow,
  type ProcessTable,
} from '../../../src/system/index.js';
import type { Application } from './applications.js';

export interface Member extends ProcessRow {
  readonly command: string;
  /** undefined: none that the application is known to have. */
  readonly role: string | undefined;
  readonly attempt: number;
  /** Whether it descends from the shim of its service. */
  readonly isInTree: boolean;
}

export interface Tree {
  readonly shims: readonly ProcessRow[];
  readonly members: readonly Member[];
}

const SHIM = 'upkeep-shim';

export function readTree(home: string, { service, roles }: Application): Tree {
  const table = readProcessTable();
  const rows = livingIn(home, table).filter(({ pid }) => variable(pid, 'UPKEEP_SERVICE') === service);
  const shims = rows.filter(({ name }) => name === SHIM);
  const children = childrenByParent(table);
  const below = shims.flatMap((shim) => descendants(children, shim.pid));
  const pids = new Set(below.map(({ pid }) => pid));
  const outside = rows.filter(({ pid, name }) => name !== SHIM && !pids.has(pid));
  const members = [...below, ...outside].flatMap((row): Member[] => {
    const command = readCommand(row.pid);
    if (!command) return []; // it has ended
    const role = roles.find(({ pattern }) => pattern.test(command))?.name;
    const attempt = Number(variable(row.pid, 'UPKEEP_ATTEMPT'));
    return [{ ...row, command, role, attempt, isInTree: pids.has(row.pid) }];
  });
  return { shims, members };
}

/** Why the tree is not as it should be; undefined: it is whole. */
export function flawOf({ shims, members }: Tree, { roles }: Application): string | undefined {
  if (shims.length !== 1) return `${shims.length} shims instead of 1`;
  const stranger = members.find(({ role }) => role === undefined);
  if (stranger) return `a process that does not belong to it: ${describe(stranger)}`;
  const outsider = members.find(({ isInTree }) => !isInTree);
  if (outsider) return `a process outside of the tree: ${describe(outsider)}`;
  const attempts = new Set(members.map(({ attempt }) => attempt));
  if (attempts.size > 1) return `processes of attempts ${[...attempts].join(' and ')} at once`;
  for (const { name, count } of roles) {
    const found = members.filter(({ role }) => role === name).length;
    if (count !== 'any' && found !== count) return `${found} instead of ${count} processes "${name}"`;
  }
  return undefined;
}

/** Who of this tree still lives. */
export function survivors({ members }: Tree): Member[] {
  return members.filter((member) => isAlive(member));
}

export function describe({ pid, command, role }: Member): string {
  return `pid ${pid}, ${role ?? command}`;
}

/** Every process that was given this home, whether of a service or not. */
export function livingIn(home: string, table: ProcessTable = readProcessTable()): ProcessRow[] {
  return [...table.values()].filter(
    ({ pid, state }) => state !== 'Z' && variable(pid, 'UPKEEP_HOME') === home,
  );
}

function variable(pid: number, key: string): string | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return entries.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1);
  } catch {
    return undefined; // ended, or not ours to see
  }
}

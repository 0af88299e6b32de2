/** Describes who sent a signal, as far as it can still be seen; a pid that was given away meanwhile names nobody. */
import type { Culprit } from '../protocol/index.js';
import {
  readCommand,
  readProcess,
  readThreadGroup,
  readUid,
  startedAt,
  type ProcessRow,
} from '../system/index.js';
import { maskCommand } from '../util/index.js';

export interface Surroundings {
  readonly pid: number | null;
  readonly shim: number | null;
  /** Processes of the attempt, also those that have ended. */
  readonly tree: ReadonlySet<number>;
  /** The daemon's own. */
  readonly own: ReadonlySet<number>;
}

const MAX_PARENTS = 6;
/** A clock tick, and what two clocks differ. */
const SLACK_MS = 50;

export function describeCulprit(id: number, seenAt: number, name: string, around: Surroundings): Culprit {
  const pid = readThreadGroup(id) ?? id; // the kernel names threads
  const row = readProcess(pid);
  const isThere = row !== undefined && startedAt(row) <= seenAt + SLACK_MS;
  const parents = isThere ? parentsOf(row) : [];
  const at = isThere ? new Date(startedAt(row)).toISOString() : null;
  const command = isThere ? (readCommand(pid) ?? '') : '';
  return {
    pid,
    name,
    place: placeOf(pid, isThere, parents, around),
    command: command === '' ? null : maskCommand(command),
    uid: isThere ? (readUid(pid) ?? null) : null,
    startedAt: at,
    parents: parents.map((parent) => `${parent.name} ${parent.pid}`),
  };
}

function placeOf(
  pid: number,
  isThere: boolean,
  parents: readonly ProcessRow[],
  { pid: main, shim, tree, own }: Surroundings,
): Culprit['place'] {
  if (pid === main) return 'itself';
  if (tree.has(pid) || parents.some((parent) => parent.pid === shim)) return 'tree';
  if (own.has(pid) || pid === shim) return 'upkeep';
  return isThere ? 'outside' : 'unknown';
}

/** Nearest first. */
function parentsOf(row: ProcessRow): ProcessRow[] {
  const parents: ProcessRow[] = [];
  let each = readProcess(row.parent);
  while (each && each.pid > 1 && parents.length < MAX_PARENTS) {
    parents.push(each);
    each = readProcess(each.parent);
  }
  return parents;
}

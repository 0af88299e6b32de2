/** Which process of an instance is profiled: the Node process at the end of its wrappers, and why it cannot be, if so. */
import { basename } from 'node:path';
import { readlinkSync } from 'node:fs';
import {
  isNodeBinary,
  knownNodeMajor,
  learnNodeMajor,
  readCommand,
  readProcess,
  readUid,
  type ProcessId,
  readTree,
  type ProcessRow,
} from '../system/index.js';

export interface ProfileTarget {
  readonly process: ProcessId;
}

export interface Refusal {
  readonly fact: string;
  readonly hint?: string;
}

/** The first with an inspector that can be opened from outside. */
const FIRST_MAJOR = 8;

/** `root`: pid of the instance; `wanted`: one of its processes, where it has several. */
export async function findProfileTarget(root: number, wanted?: number): Promise<ProfileTarget | Refusal> {
  const row = readProcess(root);
  if (!row) return { fact: `pid ${root} has ended` };
  const chosen = wanted === undefined ? choose(row) : within(row, wanted);
  if ('fact' in chosen) return chosen;
  return (await whyNot(chosen.pid)) ?? { process: chosen };
}

function within(root: ProcessRow, pid: number): ProcessRow | Refusal {
  const found = treeOf(root).find((row) => row.pid === pid);
  return (
    found ?? { fact: `pid ${pid} is not a process of the instance`, hint: 'upkeep show names the first one' }
  );
}

/** A wrapper (npm, a primary of a cluster) has a Node process below it. */
function choose(root: ProcessRow): ProcessRow | Refusal {
  const nodes = treeOf(root).filter(({ pid }) => isNode(pid) !== false);
  const isWrapper = ({ pid }: ProcessRow): boolean => nodes.some(({ parent }) => parent === pid);
  const leaves = nodes.filter((row) => !isWrapper(row));
  const [only, ...others] = leaves;
  if (!only)
    return { fact: `${nameOf(root.pid)} is no Node.js process`, hint: 'only Node.js can be profiled' };
  if (others.length === 0) return only;
  const pids = leaves.map(({ pid }) => pid).join(', ');
  return { fact: `it has several Node.js processes: ${pids}`, hint: `name one of them: --pid ${only.pid}` };
}

function treeOf(root: ProcessRow): ProcessRow[] {
  return [root, ...readTree(root.pid)];
}

async function whyNot(pid: number): Promise<Refusal | undefined> {
  const uid = readUid(pid);
  const isOurs = isNode(pid);
  if (isOurs === undefined) {
    const hint = `run the command as ${uid === undefined ? 'its user' : `uid ${uid}`} or as root`;
    return { fact: `pid ${pid} belongs to another user`, hint };
  }
  if (!isOurs) return { fact: `${nameOf(pid)} is no Node.js process`, hint: 'only Node.js can be profiled' };
  const path = `/proc/${pid}/exe`;
  await learnNodeMajor(path);
  const major = knownNodeMajor(path);
  if (major === undefined || major >= FIRST_MAJOR) return undefined;
  return {
    fact: `pid ${pid} runs Node.js ${major}`,
    hint: `the inspector can be opened from Node.js ${FIRST_MAJOR} on`,
  };
}

/** undefined: it is not ours to see. */
function isNode(pid: number): boolean | undefined {
  try {
    return isNodeBinary(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''));
  } catch {
    return undefined;
  }
}

function nameOf(pid: number): string {
  return `pid ${pid} (${basename((readCommand(pid) ?? '?').split(' ')[0]!)})`;
}

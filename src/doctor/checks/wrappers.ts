/** Processes that stand in front of the real server, or keep its output, and may end it for that. */
import { isWrapperCommand } from '../../core/index.js';
import type { Finding } from '../finding.js';
import type { LiveInstance, Machine, Process } from '../machine.js';
import { commandOf, isNode, wordList, wordProcess } from '../words.js';

export function findWrappers({ home }: Machine): Finding[] {
  return home.instances.flatMap((instance) => [...findWrapper(instance), ...findCapture(instance)]);
}

function findWrapper({ service, instance, tree }: LiveInstance): Finding[] {
  const wrappers = tree.filter((process) => isWrapper(process) && childrenIn(tree, process).length > 0);
  if (wrappers.length === 0) return [];
  const server = tree.find((process) => !isWrapper(process));
  const behind = server ? `stands in front of ${wordProcess(server)}` : 'stands in front of its children';
  return [
    {
      id: 'wrapper',
      severity: 'note',
      fact: `${service}.${instance}: ${wordList(wrappers.map(wordProcess), 3)} ${behind}: it takes memory, and what it does with signals is its own`,
      evidence: {
        service,
        wrappers: wrappers.map((process) => ({ pid: process.pid, command: commandOf(process) })),
        server: server?.pid ?? null,
      },
      command: `upkeep show ${service} # then let its command name the program itself`,
    },
  ];
}

function isWrapper({ argv }: Process): boolean {
  return isWrapperCommand(argv);
}

/**
 * `exec` collects what its child prints and ends it beyond `maxBuffer`. From outside, a parent that reads the output of
 * its child is all that can be seen: it may be harmless.
 */
function findCapture({ service, instance, tree }: LiveInstance): Finding[] {
  const captured = tree.flatMap((child) => {
    const parent = tree.find(({ pid }) => pid === child.parent);
    return parent && isNode(parent) && !isWrapper(parent) && reads(parent, child) ? [{ parent, child }] : [];
  });
  return captured.slice(0, 1).map(({ parent, child }) => ({
    id: 'captured-output',
    severity: 'note',
    fact: `${service}.${instance}: ${wordProcess(parent)} reads the output of its child ${wordProcess(child)}; if it does so by exec, it ends the child beyond maxBuffer`,
    evidence: { service, parent: parent.pid, child: child.pid },
    command: `grep -rnE 'exec(File)?\\(' ${parent.cwd ?? '.'} --include='*.js' --exclude-dir=node_modules`,
  }));
}

/** Whether the other end of the child's stdout is a descriptor of the parent. */
function reads(parent: Process, child: Process): boolean {
  const output = child.descriptors.get(1);
  if (output === undefined || [1, 2].some((fd) => parent.descriptors.get(fd) === output)) return false;
  const held = new Set(parent.descriptors.values());
  if (output.startsWith('pipe:')) return held.has(output);
  // Node gives a pair of sockets, which the kernel numbers one after the other.
  const inode = Number(/^socket:\[(\d+)\]$/.exec(output)?.[1]);
  return held.has(`socket:[${inode - 1}]`) || held.has(`socket:[${inode + 1}]`);
}

function childrenIn(tree: readonly Process[], { pid }: Process): Process[] {
  return tree.filter(({ parent }) => parent === pid);
}

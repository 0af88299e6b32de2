/** Services on another Node.js than their package.json, .nvmrc or .node-version asks for. */
import type { Finding } from '../finding.js';
import type { LiveInstance, Machine, Process } from '../machine.js';
import { satisfies } from '../../util/index.js';
import { isNode } from '../words.js';

export function findNodeVersions(machine: Machine): Finding[] {
  return machine.home.instances.flatMap((instance) => judge(machine, instance));
}

function judge(machine: Machine, instance: LiveInstance): Finding[] {
  const { service, main, tree } = instance;
  const node = [...(main ? [main] : []), ...tree].find(isNode);
  const version = node && machine.nodeVersionOf(node);
  if (!node || version === undefined) return [];
  const demands = machine.nodeDemandsOf(folderOf(machine, service, node));
  const unmet = demands.filter(({ range }) => satisfies(version, range) === false);
  return unmet.map(({ file, range }) => ({
    id: 'node-version',
    severity: 'warning',
    fact: `${service}.${instance.instance} (pid ${node.pid}) runs on Node.js ${version}, ${file} wants ${range}`,
    evidence: { service, pid: node.pid, version, file, range, executable: node.executable?.path ?? null },
    command: commandFor(machine, service),
  }));
}

function folderOf({ home }: Machine, service: string, node: Process): string {
  return home.services.find(({ spec }) => spec.name === service)?.spec.cwd ?? node.cwd ?? '/';
}

/** The interpreter of a service is the Node.js that the command runs on, unless the file names one. */
function commandFor({ home }: Machine, service: string): string {
  const file = home.services.find(({ spec }) => spec.name === service)?.spec.origin.file;
  return file
    ? `upkeep up ${file} # with the right node first in PATH, or named as its interpreter`
    : `upkeep delete ${service} # then start it with --interpreter`;
}

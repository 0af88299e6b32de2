/** The real machine, as far as the one who asks may see it. */
import { homeFrom, ownPackage } from '../../client/index.js';
import { listeningSockets } from '../../system/index.js';
import type { Machine, Process } from '../machine.js';
import { askDaemon } from './answer.js';
import { readConfigurations } from './configurations.js';
import { readEnvFile, readExpectedEnvironment } from './environment.js';
import { readFileFact } from './files.js';
import { readHome, readHomes } from './homes.js';
import { lazily, remembering } from './lazily.js';
import { readMemory } from './memory.js';
import { nodeDemands, nodeVersions } from './node.js';
import { readProcesses, type Processes } from './processes.js';
import { Sight } from './sight.js';
import { readUnits } from './units.js';

/** What has to be waited for is read at once, everything else when a check asks for it. */
export async function lookAround(env: NodeJS.ProcessEnv): Promise<Machine> {
  const sight = new Sight();
  const processes = readProcesses(sight);
  const { path } = homeFrom(env);
  const answer = await askDaemon(path);
  const home = readHome(path, processes, sight, answer.kind === 'answers' ? answer.events : undefined);
  const configurations = await readConfigurations(home, sight);
  return lazily<Machine>({
    now: () => Date.now(),
    uid: () => process.getuid?.() ?? 0,
    version: () => ownPackage().version,
    processes: () => processes,
    home: () => home,
    homes: () => readHomes(home, processes, sight),
    answer: () => answer,
    configurations: () => configurations,
    units: () => readUnits(home, sight),
    memory: () => readMemory(home, sight),
    unseen: () => sight.unseen,
    listenersOn: () => (port) => listenersOn(port, processes),
    file: () => remembering((path) => readFileFact(path, sight)),
    namesIn: () => (path) => Object.keys(sight.look(path, () => readEnvFile(path)) ?? {}),
    environmentOf: () => (spec) => readExpectedEnvironment(spec, sight),
    nodeVersionOf: () => nodeVersions(sight),
    nodeDemandsOf: () => nodeDemands(sight),
  });
}

function listenersOn(port: number, processes: Processes): Process[] | undefined {
  const inodes = listeningSockets(port);
  if (inodes.size === 0) return undefined;
  const links = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  return [...processes.values()].filter(({ descriptors }) =>
    [...descriptors.values()].some((link) => links.has(link)),
  );
}

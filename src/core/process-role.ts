/** Decides what each process of a tree is there for: wrappers in front, who leads, who works. */

/** `main` the program itself; `wrapper` stands in front of it; `child` whatever else they started. */
export const PROCESS_ROLES = ['wrapper', 'main', 'master', 'agent', 'worker', 'child'] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];

export interface RoledProcess {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
  /** Its Node is a worker of cluster. */
  readonly isClusterWorker: boolean;
}

const PACKAGE_MANAGER = /^(?:npm|npx|yarn|yarnpkg|pnpm|pnpx)$/;
const PACKAGE_MANAGER_SCRIPT = /^(?:npm|npx)-cli\.js$|^(?:npm|npx|yarn|yarnpkg|pnpm|pnpx)(?:\.c?js)?$/;
const SHELL = /^-?(?:sh|bash|dash|zsh|ash|ksh)$/;
/** They execute what they are given, in a process of its own. */
const RUNNER =
  /^(?:env|timeout|nice|nohup|setsid|stdbuf|sudo|su|runuser|xvfb-run|tini|dumb-init|cross-env|dotenv|nodemon)(?:\.js)?$/;
const NODE = /^node(?:js)?(?:-?\d[\d.]*)?$/;
const AGENT = /\bagent_worker\.js\b/;
const WORKER = /\bapp_worker\.js\b/;

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `node /usr/bin/npm start`, `npm start` by its title, `sh -c "node server.js; true"`. */
export function isWrapperCommand(argv: readonly string[]): boolean {
  const [program = '', first = ''] = argv;
  const name = baseOf(program.split(' ')[0]!);
  if (PACKAGE_MANAGER.test(name) || RUNNER.test(name)) return true;
  if (SHELL.test(name)) return /^-[a-z]*c$/.test(first);
  return NODE.test(name) && (PACKAGE_MANAGER_SCRIPT.test(baseOf(first)) || RUNNER.test(baseOf(first)));
}

/** By pid. A wrapper has somebody behind it; who has workers is their master. */
export function assignProcessRoles(processes: readonly RoledProcess[]): Map<number, ProcessRole> {
  const roles = new Map<number, ProcessRole>();
  const childrenOf = (pid: number): RoledProcess[] => processes.filter(({ parent }) => parent === pid);
  for (const process of processes) {
    const command = process.argv.join(' ');
    if (isWrapperCommand(process.argv) && childrenOf(process.pid).length > 0)
      roles.set(process.pid, 'wrapper');
    else if (AGENT.test(command)) roles.set(process.pid, 'agent');
    else if (process.isClusterWorker || WORKER.test(command)) roles.set(process.pid, 'worker');
  }
  for (const { pid, parent } of processes) {
    const isLed = roles.get(pid) === 'worker' || roles.get(pid) === 'agent';
    if (isLed && !roles.has(parent)) roles.set(parent, 'master');
  }
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  for (const [pid] of [...roles].filter(([, role]) => role === 'master')) {
    for (let above = parents.get(pid); above !== undefined && parents.has(above); above = parents.get(above))
      if (!roles.has(above)) roles.set(above, 'wrapper');
  }
  const main = processes.find(({ pid }) => !roles.has(pid));
  const hasMaster = [...roles.values()].includes('master');
  for (const { pid } of processes) {
    if (!roles.has(pid)) roles.set(pid, pid === main?.pid && !hasMaster ? 'main' : 'child');
  }
  return roles;
}

/** Applications by who runs them: the homes of upkeep and the daemons of PM2. */
import { basename, resolve } from 'node:path';
import type { StoredService } from '../store/index.js';
import type { Home, Machine, Process } from './machine.js';
import { childrenOf, upkeepCommand } from './words.js';
import { quote } from '../util/index.js';

export interface Application {
  /** `upkeep in /root/.upkeep`, `PM2 in /root/.pm2, pid 812`. */
  readonly supervisor: string;
  readonly name: string;
  /** undefined: it should run and does not. */
  readonly pid: number | undefined;
  /** Absolute; undefined for what is no script. */
  readonly script: string | undefined;
  /** Folder and command line. */
  readonly command: string;
  /** Ends it for good. */
  readonly end: string;
}

export interface Pm2Daemon {
  readonly process: Process;
  readonly version: string;
  readonly home: string;
  /** Whether `pm2` speaks to this one: of several in one home to the latest, which has taken the socket. */
  readonly isReached: boolean;
  /** Ends it, and its applications with it. */
  readonly end: string;
}

/** The title that a daemon of PM2 gives itself, the only documented sign of one. */
const GOD_TITLE = /^PM2 v(\S+): God Daemon \((.+)\)$/;

/** Those that `pm2` speaks to first. */
export function pm2Daemons({ processes }: Machine): Pm2Daemon[] {
  const found = [...processes.values()].flatMap((process) => {
    const [, version, home] = GOD_TITLE.exec(titleOf(process)) ?? [];
    return version && home && !isForked(process, processes) ? [{ process, version, home }] : [];
  });
  const latestFirst = found.toSorted((one, other) => other.process.startedAt - one.process.startedAt);
  const daemons = latestFirst.map((daemon) => {
    const isReached = latestFirst.find(({ home }) => home === daemon.home) === daemon;
    const end = isReached ? `PM2_HOME=${quote(daemon.home)} pm2 kill` : `kill ${daemon.process.pid}`;
    return { ...daemon, isReached, end };
  });
  return daemons.toSorted((one, other) => Number(other.isReached) - Number(one.isReached));
}

export function pm2Applications(machine: Machine, daemon: Pm2Daemon): Application[] {
  const { process, home, isReached } = daemon;
  const children = childrenOf(machine, process.pid);
  return children
    .filter((child) => !isForked(child, machine.processes))
    .map((child) => {
      const words = wordsOf(child);
      const told = variablesOf(child);
      const cwd = told.pm_cwd ?? child.cwd ?? '/';
      const script = told.pm_exec_path ?? scriptOf(words, cwd);
      return {
        supervisor: `PM2 in ${home}, pid ${process.pid}`,
        name: told.name ?? basename(script ?? words[0] ?? child.name),
        pid: child.pid,
        script,
        command: `${cwd} ${words.join(' ')}`,
        end:
          isReached && told.pm_id !== undefined
            ? `PM2_HOME=${quote(home)} pm2 delete ${told.pm_id}`
            : daemon.end,
      };
    });
}

function titleOf({ argv }: Process): string {
  return argv.join(' ').trim();
}

/** Still the copy of its parent: what it is to execute comes in a moment, and then it is another one. */
function isForked(process: Process, processes: Machine['processes']): boolean {
  const parent = processes.get(process.parent);
  return parent !== undefined && titleOf(parent) === titleOf(process);
}

interface Pm2Variables {
  readonly pm_id?: string | number;
  readonly pm_exec_path?: string;
  readonly pm_cwd?: string;
  readonly name?: string;
}

/** What PM2 tells an application about itself; in cluster mode in one variable. */
function variablesOf({ environment = {} }: Process): Pm2Variables {
  try {
    return JSON.parse(environment['pm2_env'] ?? '') as Pm2Variables;
  } catch {
    return environment; // in fork mode each stands for itself
  }
}

/** What a home runs or wants to run. */
export function homeApplications(machine: Machine, home: Home): Application[] {
  return home.services
    .filter(({ isWanted }) => isWanted)
    .map(({ spec }) => ({
      supervisor: `upkeep in ${home.path}`,
      name: spec.name,
      pid: home.instances.find(({ service }) => service === spec.name)?.main?.pid,
      script: spec.script ?? scriptOf(spec.argv, spec.cwd),
      command: `${spec.cwd} ${spec.argv.join(' ')}`,
      end: upkeepCommand(machine, home, 'delete', spec.name),
    }));
}

export function isSame(one: Application, other: Application): boolean {
  return (one.script !== undefined && one.script === other.script) || one.command === other.command;
}

/** Who changes its title has one word with blanks in it. */
function wordsOf({ argv }: Process): readonly string[] {
  const words = argv.filter(Boolean);
  return words.length === 1 ? words[0]!.split(' ') : words;
}

/** Of an interpreter: the first word that is a path and no option. */
function scriptOf([, ...words]: readonly string[], cwd: string): string | undefined {
  const script = words.find((word) => !word.startsWith('-'));
  return script !== undefined && /[./]/.test(script) ? resolve(cwd, script) : undefined;
}

/** Ports that more than one home wants. */
export function declaresPort({ spec, isWanted }: StoredService, port: number): boolean {
  return isWanted && spec.ports.some((declared) => declared.port === port);
}

/** Words and looks that several checks share. */
import { quote } from '../util/index.js';
import type { Home, Machine, Process } from './machine.js';

/** The launcher and the shims, as /proc cuts their name. */
const SHIM_NAME = 'upkeep-shim';
const SHOWN_CHARACTERS = 120;

export function commandOf({ argv, name }: Process): string {
  const text = argv.join(' ').trim() || `[${name}]`;
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
}

/** `pid 4121 (node /srv/old.js)`. */
export function wordProcess(process: Process): string {
  return `pid ${process.pid} (${commandOf(process)})`;
}

export function wordTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A command of upkeep for that home, whoever has to run it. */
export function upkeepCommand(machine: Machine, home: Home, ...words: readonly string[]): string {
  const command = ['upkeep', ...words.map(quote)].join(' ');
  if (home.path === machine.home.path) return command;
  const withHome = `UPKEEP_HOME=${quote(home.path)} ${command}`;
  return home.ownerUid === machine.uid ? withHome : `sudo -u '#${home.ownerUid}' ${withHome}`;
}

/** The home whose daemon, launcher or shim the process is or descends from. */
export function homeOf({ homes, processes }: Machine, process: Process): Home | undefined {
  for (let each: Process | undefined = process; each; each = processes.get(each.parent)) {
    const { pid, name, environment } = each;
    const path = name === SHIM_NAME ? environment?.['UPKEEP_HOME'] : undefined;
    const home = homes.find((candidate) => candidate.path === path || candidate.daemon?.pid === pid);
    if (home) return home;
    if (each.parent === pid) return undefined;
  }
  return undefined;
}

export function childrenOf({ processes }: Machine, pid: number): Process[] {
  return [...processes.values()].filter(({ parent }) => parent === pid);
}

/** By its executable, not by its title, which anybody may change. */
export function isNode({ executable, name }: Process): boolean {
  const program = executable?.path.split('/').at(-1) ?? name;
  return /^node(?:js)?(?:-?\d[\d.]*)?$/.test(program);
}

/** `api and web`, `api, web and 3 more`. */
export function wordList(items: readonly string[], shown = 5): string {
  const unique = [...new Set(items)];
  const more = unique.length - shown;
  if (more > 0) return `${unique.slice(0, shown).join(', ')} and ${more} more`;
  const last = unique.at(-1) ?? '';
  return unique.length > 1 ? `${unique.slice(0, -1).join(', ')} and ${last}` : last;
}

export function wordCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

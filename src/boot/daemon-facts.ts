/** What a file for an init system has to say of the daemon, as it is on this machine at this moment. */
import { realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute } from 'node:path';
import { daemonCommand } from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import { canRead, type Credentials } from '../system/index.js';
import type { Target } from './target.js';

export interface DaemonFacts {
  readonly user: string;
  readonly homeFolder: string;
  /** UPKEEP_HOME. */
  readonly home: string;
  readonly log: string;
  readonly node: string;
  readonly command: readonly string[];
  /** Files without which the command cannot run. */
  readonly needed: readonly string[];
  /** PATH, for what the daemon itself runs. */
  readonly searchPath: string;
}

/** What every system has; at the end, where the shell did not name them. */
const STANDARD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Folders that are there for one command or one login only. */
const PASSING = /\/node_modules\/|\/_npx\/|^\/(?:tmp|run|proc)\/|\/fnm_multishells\//;
/** Where a tool keeps versions of Node side by side, and takes one away without a word. */
const VERSION_MANAGERS: readonly (readonly [RegExp, string])[] = [
  [/\/\.?nvm\//, 'nvm'],
  [/\/\.?fnm\//, 'fnm'],
  [/\/\.volta\//, 'Volta'],
  [/\/\.asdf\//, 'asdf'],
  [/\/mise\//, 'mise'],
  [/\/\.nodenv\//, 'nodenv'],
  [/\/\.nvs\//, 'nvs'],
  [/\/n\/versions\//, 'n'],
  [/\/Cellar\//, 'Homebrew'],
  [/\/node_modules\//, 'npm'],
];

export function daemonFacts({ home, account }: Pick<Target, 'home' | 'account'>, path?: string): DaemonFacts {
  // A link, of a version manager or of a distribution, may lead elsewhere tomorrow.
  const node = realpathSync(process.execPath);
  const command = daemonCommand(home, 'lock', node);
  return {
    user: account.name,
    homeFolder: account.homeFolder,
    home: home.path,
    log: home.log,
    node,
    command,
    needed: [command[0]!, node, command.at(-1)!],
    searchPath: path ?? lastingPath(process.env['PATH'] ?? '', node),
  };
}

/** Without what belongs to one shell or one command, and with the folder of Node itself. */
export function lastingPath(path: string, node: string): string {
  const folders = [...path.split(delimiter), dirname(node), ...STANDARD_PATH.split(delimiter)];
  const kept = folders.filter((folder) => isAbsolute(folder) && !PASSING.test(`${folder}/`));
  return [...new Set(kept)].join(delimiter);
}

/** The name of the tool; undefined: the file belongs to the system. */
export function versionManagerOf(node: string): string | undefined {
  return VERSION_MANAGERS.find(([pattern]) => pattern.test(node))?.[1];
}

/** A daemon of another user cannot begin from root's own folders. */
export function validateAccess({ needed }: DaemonFacts, account: Credentials): void {
  const closed = needed.find((file) => !canRead(file, account));
  if (closed === undefined) return;
  throw new UpkeepError(
    'boot-failed',
    `Cannot start upkeep as "${account.name}": it may not read ${closed}`,
    {
      hint: 'install Node.js and upkeep where every user may read, as /usr and /opt',
    },
  );
}

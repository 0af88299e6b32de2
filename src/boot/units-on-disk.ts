/**
 * What files say of the units that start a daemon at boot. `upkeep boot status` and `upkeep doctor` read them here, so that
 * both say the same, also where systemd cannot be asked.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findBootUnit, type Home, type SystemdScope } from '../client/index.js';
import { isNodeBinary, type Credentials } from '../system/index.js';
import { isLingering } from './linger.js';
import { unitFiles, unitVariable } from './systemd-unit.js';

export interface UnitOnDisk {
  readonly path: string;
  readonly scope: SystemdScope;
  /** undefined: it names none, the default of its user is meant. */
  readonly home: string | undefined;
  readonly isEnabled: boolean;
  /** Only of `user`: whether its systemd runs without a login. */
  readonly isLingering: boolean;
  /** Files that it needs and that are not there. */
  readonly missing: readonly string[];
}

/** How files are looked at: some may not be seen. */
export interface Look {
  names(folder: string, what?: string): readonly string[];
  text(path: string): string | undefined;
}

const SYSTEM_FOLDER = '/etc/systemd/system';
const USER_FOLDER = '.config/systemd/user';

/** Of the machine and of the user whom the home belongs to; and the one that was installed for it, whatever its name is. */
export function unitsOnDisk(home: Home, owner: Credentials | undefined, look: Look): UnitOnDisk[] {
  const installed = findBootUnit(home);
  const scopes = new Map<string, SystemdScope>([
    ...pathsIn(SYSTEM_FOLDER, look).map((path) => [path, 'system'] as const),
    ...pathsIn(join(owner?.homeFolder ?? '/', USER_FOLDER), look).map((path) => [path, 'user'] as const),
    ...(installed ? [[installed.path, installed.scope] as const] : []),
  ]);
  return [...scopes].map(([path, scope]) => {
    const text = look.text(path) ?? '';
    return {
      path,
      scope,
      home: homeIn(text),
      isEnabled: isEnabledOnDisk(path, look),
      isLingering: scope === 'system' || (owner !== undefined && isLingering(owner)),
      missing: missingFiles(text),
    };
  });
}

/** Something wants it, as `systemctl enable` has it. */
export function isEnabledOnDisk(path: string, look: Look): boolean {
  const folder = dirname(path);
  const wanting = look.names(folder).filter((name) => /\.(?:wants|requires)$/.test(name));
  return wanting.some((name) => look.names(join(folder, name)).includes(basename(path)));
}

/** Also of a unit that was written by hand: `Environment=UPKEEP_HOME=/srv/home`. */
export function homeIn(text: string): string | undefined {
  const plain = /^Environment=.*?UPKEEP_HOME=([^\s"]+)/m.exec(text)?.[1];
  return unitVariable(text, 'UPKEEP_HOME') ?? plain?.replaceAll('%%', '%');
}

/** Of what it needs by its own check, or executes. */
export function missingFiles(text: string): string[] {
  const needed = unitFiles(text);
  return (needed.length > 0 ? needed : programsIn(text)).filter((path) => !existsSync(path));
}

/** Only what is surely a program or a script: a lock or a socket may come into being later. */
function programsIn(text: string): string[] {
  const [, line = ''] = /^ExecStart=[-@:+!|]*(.+)$/m.exec(text) ?? [];
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);
  return words.filter(
    (word, at) => word.startsWith('/') && (at === 0 || word.endsWith('.js') || isNodeBinary(word)),
  );
}

function pathsIn(folder: string, look: Look): string[] {
  const names = look.names(folder, `units in ${folder}`);
  return names.filter((name) => /^upkeep.*\.service$/.test(name)).map((name) => join(folder, name));
}

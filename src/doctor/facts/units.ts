/** Units of systemd that start a daemon, from their files: also where systemd itself cannot be asked. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findCredentials, isNodeBinary } from '../../system/index.js';
import type { BootUnit, Home } from '../machine.js';
import type { Sight } from './sight.js';

const SYSTEM_FOLDER = '/etc/systemd/system';
const LINGER_FOLDER = '/var/lib/systemd/linger';

/** Of the machine, and of the user whom the home belongs to. */
export function readUnits({ ownerUid }: Home, sight: Sight): BootUnit[] {
  // A container may run as a user without a name.
  const owner = findCredentials(String(ownerUid), null);
  const userFolder = join(owner?.homeFolder ?? '/', '.config/systemd/user');
  const isLingering = owner !== undefined && existsSync(join(LINGER_FOLDER, owner.name));
  return [
    ...readFolder(SYSTEM_FOLDER, sight).map((unit) => ({
      ...unit,
      scope: 'system' as const,
      isLingering: true,
    })),
    ...readFolder(userFolder, sight).map((unit) => ({ ...unit, scope: 'user' as const, isLingering })),
  ];
}

function readFolder(folder: string, sight: Sight): Omit<BootUnit, 'scope' | 'isLingering'>[] {
  const entries = sight.names(folder, `units in ${folder}`);
  const wants = entries.filter((name) => /\.(?:wants|requires)$/.test(name));
  const enabled = new Set(wants.flatMap((name) => sight.names(join(folder, name))));
  return entries
    .filter((name) => /^upkeep.*\.service$/.test(name))
    .map((name) => {
      const path = join(folder, name);
      const text = sight.text(path) ?? '';
      return { path, isEnabled: enabled.has(name), home: homeIn(text), missing: missingIn(text) };
    });
}

/** `Environment=UPKEEP_HOME=/srv/home`, in quotes where there are blanks in it. */
function homeIn(unit: string): string | undefined {
  const [, quoted, plain] = /^Environment=(?:"UPKEEP_HOME=([^"]+)"|.*?UPKEEP_HOME=(\S+))/m.exec(unit) ?? [];
  return (quoted ?? plain)?.replaceAll('%%', '%');
}

/** Of the command that it executes: absolute paths that are not there. */
function missingIn(unit: string): string[] {
  const [, line = ''] = /^ExecStart=[-@:+!|]*(.+)$/m.exec(unit) ?? [];
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);
  // Only what is surely a program or a script: a lock or a socket may come into being later.
  const programs = words.filter(
    (word, at) => word.startsWith('/') && (at === 0 || word.endsWith('.js') || isNodeBinary(word)),
  );
  return programs.filter((path) => !existsSync(path));
}

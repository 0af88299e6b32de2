/** `upkeep boot remove`: takes back whatever the installation did. Services go on running. */
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  connectOnly,
  connectOrStart,
  findBootUnit,
  isAnswering,
  isSystemdRunning,
  systemctl,
} from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import type { Notice } from './install.js';
import { disableLinger, lingerCommand } from './linger.js';
import type { Target } from './target.js';
import { readUnit, removeRecord } from './unit-file.js';

export interface Removal {
  /** false: there was nothing to remove. */
  readonly wasInstalled: boolean;
  /** Whether a daemon that was started on demand now looks after the services. */
  readonly hasDaemon: boolean;
  readonly notices: readonly Notice[];
}

export async function remove(target: Target): Promise<Removal> {
  const { home, isSelf, path } = target;
  refuseUnprivileged(target);
  const wasInstalled = readUnit(target) !== undefined;
  const hadDaemon = await isAnswering(connectOnly(home));
  const notices = await forgetUnit(target);
  if (hasDropIns(path)) {
    notices.push({ message: `your own changes stay in ${path}.d`, hint: `rm -r ${path}.d` });
  }
  const hasDaemon = wasInstalled && hadDaemon && isSelf;
  if (hasDaemon) await connectOrStart(home).call('daemon');
  return { wasInstalled, hasDaemon, notices };
}

/** Unit, links, note, and linger where it was switched on for it. Goes on after each step that fails. */
export async function forgetUnit(target: Target): Promise<Notice[]> {
  const { scope, unit, path, home, account } = target;
  const isLingerOurs = findBootUnit(home)?.hasEnabledLinger ?? false;
  if (isSystemdRunning()) await systemctl(scope, 'disable', '--now', unit);
  rmSync(path, { force: true });
  if (scope === 'user') removeEmptyFolders(path);
  removeRecord(target);
  if (isSystemdRunning()) {
    await systemctl(scope, 'daemon-reload');
    await systemctl(scope, 'reset-failed', unit);
  }
  if (!isLingerOurs) return [];
  return [wordLinger(account, await disableLinger(account))];
}

function wordLinger(account: Target['account'], why: string | undefined): Notice {
  if (why !== undefined) {
    const message = `systemd of "${account.name}" still starts at boot: ${why}`;
    return { message, hint: `sudo loginctl disable-linger ${account.name}` };
  }
  const message = `systemd of "${account.name}" ends with the last logout again, and with it what it had started, services included`;
  return { message, hint: `to keep them up: ${lingerCommand(account)}` };
}

/** `~/.config/systemd/user` and its parent, which the installation may have created. */
function removeEmptyFolders(path: string): void {
  try {
    rmdirSync(dirname(path));
    rmdirSync(dirname(dirname(path)));
  } catch {
    // something else is in it
  }
}

function hasDropIns(path: string): boolean {
  try {
    return readdirSync(`${path}.d`).length > 0;
  } catch {
    return false; // there is no such folder
  }
}

export function refuseUnprivileged({ scope, unit }: Target): void {
  if (scope === 'user' || process.getuid?.() === 0) return;
  throw new UpkeepError(
    'boot-failed',
    `Cannot change "${unit}": it is a unit of the machine, and you are not root`,
    {
      hint: 'the same with sudo, and --user for the services of another user than root',
    },
  );
}

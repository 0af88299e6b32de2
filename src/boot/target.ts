/** Decides which unit of which systemd is meant: root's are those of the machine, everybody else has an own systemd. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findBootUnit, homeFrom, type Home, type SystemdScope } from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import { findCredentials, type Credentials } from '../system/index.js';

export interface TargetOptions {
  /** Whose services; only root may name another than itself. */
  readonly user?: string | undefined;
  /** Another name for the unit, where one user has several homes. */
  readonly unit?: string | undefined;
}

export interface Target {
  readonly scope: SystemdScope;
  /** With its suffix. */
  readonly unit: string;
  /** Of the unit file. */
  readonly path: string;
  readonly home: Home;
  readonly account: Credentials;
  /** Whether who asks is the user of the services. */
  readonly isSelf: boolean;
}

export function targetFrom({ user, unit }: TargetOptions, env: NodeJS.ProcessEnv): Target {
  const self = ownAccount();
  const account = user === undefined ? self : requireAccount(user);
  const isSelf = account.uid === self.uid;
  if (!isSelf && self.uid !== 0) throw notRoot(account.name);
  const home = homeFrom({ UPKEEP_HOME: env['UPKEEP_HOME'] || join(account.homeFolder, '.upkeep') });
  const known = unit === undefined ? findBootUnit(home) : undefined;
  if (known?.scope === 'user' && !isSelf) throw notTheUser(account.name, known.path);
  if (known) return { ...known, home, account, isSelf };
  const name = unit === undefined ? defaultUnit(account) : requireUnit(unit);
  if (self.uid === 0) {
    return { scope: 'system', unit: name, path: join('/etc/systemd/system', name), home, account, isSelf };
  }
  const folder = join(env['XDG_CONFIG_HOME'] || join(account.homeFolder, '.config'), 'systemd', 'user');
  return { scope: 'user', unit: name, path: join(folder, name), home, account, isSelf };
}

function defaultUnit({ uid, name }: Credentials): string {
  const isMachines = process.getuid?.() === 0 && uid !== 0;
  return isMachines ? `upkeep-${name}.service` : 'upkeep.service';
}

function ownAccount(): Credentials {
  const { uid, gid, username: name, homedir: homeFolder } = userInfo();
  return findCredentials(String(uid), null) ?? { uid, gid, groups: [gid], name, homeFolder };
}

function requireAccount(user: string): Credentials {
  const account = findCredentials(user, null);
  if (account) return account;
  throw new UpkeepError('usage', `Cannot use "--user ${user}": /etc/passwd has no such user`, {
    hint: 'name a user of this machine',
  });
}

function notRoot(name: string): UpkeepError {
  return new UpkeepError('boot-failed', `Cannot manage the boot of "${name}": only root may do that`, {
    hint: `sudo upkeep boot … --user ${name}; without --user it is about your own services`,
  });
}

function notTheUser(name: string, path: string): UpkeepError {
  return new UpkeepError(
    'boot-failed',
    `Cannot manage the boot of "${name}": ${path} belongs to systemd of that user, which only the user can ask`,
    { hint: `the same as "${name}", without --user` },
  );
}

function requireUnit(text: string): string {
  const name = text.endsWith('.service') ? text : `${text}.service`;
  if (/^[\w.:-]+$/.test(name)) return name;
  throw new UpkeepError(
    'usage',
    `Cannot use "--unit ${text}": a unit has letters, digits and -_.: in its name`,
    {
      hint: 'for example: --unit upkeep-shop',
    },
  );
}

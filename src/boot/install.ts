/** `upkeep boot install`: from now on systemd starts the daemon at boot, and keeps it up. All of it or nothing. */
import { existsSync } from 'node:fs';
import {
  connectOnly,
  connectOrStart,
  endDaemon,
  findBootUnit,
  isAnswering,
  isSystemdRunning,
  journalCommand,
  systemctl,
} from '../client/index.js';
import { UpkeepError, type DaemonView } from '../protocol/index.js';
import { daemonFacts, validateAccess, versionManagerOf } from './daemon-facts.js';
import { enableLinger, isLingering, lingerCommand, untilUserManager } from './linger.js';
import { systemdUnit, unitVariable } from './systemd-unit.js';
import type { Target } from './target.js';
import { forgetUnit, refuseUnprivileged } from './remove.js';
import { prepareHome, readUnit, writeRecord, writeUnit } from './unit-file.js';

/** Something that does not stand in the way, and its next step. */
export interface Notice {
  readonly message: string;
  readonly hint: string;
}

export interface InstallPlan {
  readonly text: string;
  /** What is done besides writing the file, as one would type it. */
  readonly commands: readonly string[];
  readonly notices: readonly Notice[];
}

export interface Installation {
  readonly daemon: DaemonView;
  readonly notices: readonly Notice[];
}

export function planInstall(target: Target): InstallPlan {
  const { scope, unit, account } = target;
  const facts = daemonFacts(target);
  const systemctlOf = scope === 'user' ? 'systemctl --user' : 'systemctl';
  const linger = scope === 'user' && !isLingering(account) ? [`loginctl enable-linger ${account.name}`] : [];
  return {
    text: systemdUnit(facts, scope),
    commands: [
      ...linger,
      `${systemctlOf} daemon-reload`,
      `${systemctlOf} enable ${unit}`,
      `${systemctlOf} restart ${unit}`,
    ],
    notices: [...noticeNode(facts.node), ...noticeSudo(target)],
  };
}

export async function install(target: Target): Promise<Installation> {
  requireSystemd();
  refuseUnprivileged(target);
  validateAccess(daemonFacts(target), target.account);
  refuseSecond(target);
  const { text, notices } = planInstall(target);
  const before = readUnit(target);
  prepareHome(target);
  const linger = await ensureLinger(target);
  const hasRunOnDemand = before === undefined && (await isAnswering(connectOnly(target.home)));
  try {
    writeUnit(target, text);
    writeRecord(target, linger.isOurs);
    await enableAndStart(target, before !== text);
    const daemon = await connectOnly(target.home).call('daemon');
    return { daemon, notices: [...notices, ...linger.notices] };
  } catch (error) {
    if (before !== undefined) await restore(target, before);
    else await forgetUnit(target);
    // Whatever comes of it, the first error is the one to tell.
    if (hasRunOnDemand && target.isSelf) await isAnswering(connectOrStart(target.home));
    throw error;
  }
}

export function requireSystemd(): void {
  if (isSystemdRunning()) return;
  throw new UpkeepError('unsupported', 'Cannot manage the boot: systemd does not run on this machine', {
    hint: 'for another init system, untested: upkeep boot install --init launchd | openrc',
  });
}

async function enableAndStart(target: Target, isChanged: boolean): Promise<void> {
  const { scope, unit, home } = target;
  await demand(target, 'daemon-reload');
  await demand(target, 'enable', unit);
  const isActive = (await systemctl(scope, 'is-active', unit)).code === 0;
  if (isActive && !isChanged) return;
  // Services go on running: the daemon of the unit takes them back.
  if (!isActive && (await isAnswering(connectOnly(home)))) await endDaemon(home);
  await demand(target, isActive ? 'restart' : 'start', unit);
}

async function restore(target: Target, text: string): Promise<void> {
  writeUnit(target, text);
  await systemctl(target.scope, 'daemon-reload');
  await systemctl(target.scope, 'start', target.unit);
}

async function demand(target: Target, ...args: readonly string[]): Promise<void> {
  const { code, said } = await systemctl(target.scope, ...args);
  if (code === 0) return;
  throw new UpkeepError(
    'boot-failed',
    `Cannot install "${target.unit}": systemctl ${args.join(' ')}: ${said}`,
    {
      hint: `see why: ${journalCommand(target)}`,
    },
  );
}

/** One home has one daemon, so it has one unit; and one unit has one home. */
function refuseSecond(target: Target): void {
  const { home, path, unit } = target;
  const other = findBootUnit(home);
  if (other && other.path !== path) {
    throw new UpkeepError(
      'boot-failed',
      `Cannot install "${unit}": "${home.path}" is started by ${other.path} already`,
      { hint: other.scope === 'user' ? 'as that user: upkeep boot remove' : 'upkeep boot remove' },
    );
  }
  const theirs = unitVariable(readUnit(target) ?? '', 'UPKEEP_HOME') ?? home.path;
  if (theirs === home.path) return;
  throw new UpkeepError('boot-failed', `Cannot install "${unit}": it belongs to the home "${theirs}"`, {
    hint: 'give this one another name: upkeep boot install --unit upkeep-<name>',
  });
}

interface Linger {
  readonly isOurs: boolean;
  readonly notices: readonly Notice[];
}

async function ensureLinger({ scope, account, home }: Target): Promise<Linger> {
  if (scope === 'system') return { isOurs: false, notices: [] };
  const isOursAlready = findBootUnit(home)?.hasEnabledLinger ?? false;
  if (isLingering(account)) {
    await untilUserManager(account);
    return { isOurs: isOursAlready, notices: [] };
  }
  const why = await enableLinger(account);
  await untilUserManager(account);
  if (why === undefined) return { isOurs: true, notices: [] };
  const message = `the daemon starts with the first login of "${account.name}", not at boot: ${why}`;
  return { isOurs: false, notices: [{ message, hint: lingerCommand(account) }] };
}

function noticeNode(node: string): Notice[] {
  const manager = versionManagerOf(node);
  if (manager === undefined) return [];
  return [
    {
      message: `${node} belongs to ${manager}: where that takes it away, the daemon cannot start any more`,
      hint: 'use a Node.js of the system, or run "upkeep boot install" again after every change of Node.js',
    },
  ];
}

/** `sudo upkeep boot install` is about root, which may not be what was meant. */
function noticeSudo({ account, home }: Target): Notice[] {
  const { SUDO_USER: user } = process.env;
  if (account.uid !== 0 || !user || user === 'root' || existsSync(home.state)) return [];
  return [
    {
      message: 'this is about the services of root, which has none yet',
      hint: `for those of "${user}": upkeep boot remove; then without sudo: upkeep boot install`,
    },
  ];
}

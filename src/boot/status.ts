/** Which of the three ways the daemon of a home runs in, and whether it would be there after a boot. */
import { existsSync } from 'node:fs';
import { connectOnly, isSystemdRunning, showUnit, type SystemdScope } from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import { daemonFacts, versionManagerOf } from './daemon-facts.js';
import { isLingering, lingerCommand } from './linger.js';
import { systemdUnit, unitDifferences, unitFiles, unitVariable } from './systemd-unit.js';
import type { Target } from './target.js';
import { readUnit } from './unit-file.js';

export type Way = 'on-demand' | 'user-systemd' | 'system-systemd';

export interface BootFinding {
  /** `problem`: after a boot the daemon would not be there, or not this one. */
  readonly severity: 'problem' | 'notice';
  readonly message: string;
  readonly hint: string;
}

export interface BootStatus {
  /** How the daemon that runs was started; null: none runs. */
  readonly way: Way | null;
  readonly daemonPid: number | null;
  readonly home: string;
  readonly user: string;
  readonly hasSystemd: boolean;
  readonly scope: SystemdScope;
  readonly unit: string;
  readonly path: string;
  readonly isInstalled: boolean;
  readonly isEnabled: boolean;
  readonly isActive: boolean;
  /** null: it does not matter, as for a unit of the machine. */
  readonly isLingering: boolean | null;
  /** What the unit starts the daemon with; null: no unit, or one of another origin. */
  readonly node: string | null;
  /** Names of the lines of the unit that would be written otherwise now. */
  readonly differences: readonly string[];
  readonly findings: readonly BootFinding[];
}

export async function inspectBoot(target: Target): Promise<BootStatus> {
  const { scope, unit, path, home, account } = target;
  const text = readUnit(target);
  const hasSystemd = isSystemdRunning();
  const shown = hasSystemd ? await showUnit(scope, unit, ...PROPERTIES) : {};
  const daemonPid = await findDaemon(target);
  const [, node = null] = text === undefined ? [] : unitFiles(text);
  const facts = {
    daemonPid,
    home: home.path,
    user: account.name,
    hasSystemd,
    scope,
    unit,
    path,
    isInstalled: text !== undefined,
    isEnabled: shown['UnitFileState'] === 'enabled',
    isActive: shown['ActiveState'] === 'active',
    isLingering: scope === 'user' ? isLingering(account) : null,
    node,
    differences: text === undefined ? [] : differencesOf(target, text),
  };
  const way = wayOf(daemonPid, Number(shown['MainPID']), scope);
  const needsReload = shown['NeedDaemonReload'] === 'yes';
  return { way, ...facts, findings: findingsOf({ way, ...facts }, { target, text, needsReload }) };
}

const PROPERTIES = ['ActiveState', 'UnitFileState', 'MainPID', 'NeedDaemonReload'];

function wayOf(daemonPid: number | null, mainPid: number, scope: SystemdScope): Way | null {
  if (daemonPid === null) return null;
  if (daemonPid !== mainPid) return 'on-demand';
  return scope === 'user' ? 'user-systemd' : 'system-systemd';
}

async function findDaemon({ home }: Target): Promise<number | null> {
  try {
    return (await connectOnly(home).call('daemon', { anyProtocol: true })).pid;
  } catch (error) {
    if (error instanceof UpkeepError && error.code === 'daemon-unreachable') return null;
    throw error;
  }
}

/** PATH is that of the shell that installed; another one is no reason to write the unit anew. */
function differencesOf(target: Target, text: string): string[] {
  const facts = daemonFacts(target, unitVariable(text, 'PATH'));
  return unitDifferences(text, systemdUnit(facts, target.scope));
}

interface Evidence {
  readonly target: Target;
  readonly text: string | undefined;
  readonly needsReload: boolean;
}

function findingsOf(
  status: Omit<BootStatus, 'findings'>,
  { target, text, needsReload }: Evidence,
): BootFinding[] {
  const install = installCommand(target);
  if (!status.hasSystemd) {
    return [problem('systemd does not run on this machine', 'upkeep boot install --init launchd | openrc')];
  }
  if (text === undefined) return [problem('nothing starts the daemon at boot', install)];
  const { unit, scope, home, node, differences } = status;
  const systemctlOf = scope === 'user' ? 'systemctl --user' : 'sudo systemctl';
  const theirs = unitVariable(text, 'UPKEEP_HOME');
  const findings: BootFinding[] = [];
  if (theirs !== home) findings.push(problem(`${unit} starts another home: ${theirs ?? 'unknown'}`, install));
  for (const file of unitFiles(text).filter((needed) => !existsSync(needed))) {
    findings.push(problem(`${unit} needs ${file}, which does not exist`, install));
  }
  if (!status.isEnabled) {
    findings.push(problem(`${unit} is not enabled`, `${systemctlOf} enable ${unit}`));
  }
  if (status.isLingering === false) {
    const message = `systemd of "${status.user}" starts with the first login, not at boot`;
    findings.push(problem(message, lingerCommand(target.account)));
  }
  if (!status.isActive) findings.push(problem(`${unit} is not active`, `${systemctlOf} start ${unit}`));
  if (status.isActive && status.way === 'on-demand') {
    findings.push(
      problem('the daemon that runs is not the one of systemd', `${systemctlOf} restart ${unit}`),
    );
  }
  if (needsReload) {
    findings.push(notice('systemd has read an older version of the unit', `${systemctlOf} daemon-reload`));
  }
  if (differences.length > 0) {
    findings.push(notice(`${unit} would be written otherwise now: ${differences.join(', ')}`, install));
  }
  const manager = node === null ? undefined : versionManagerOf(node);
  if (manager !== undefined) {
    findings.push(notice(`${node} belongs to ${manager}, which may take it away`, install));
  }
  return findings;
}

export function installCommand({ isSelf, account, scope }: Target): string {
  if (!isSelf) return `upkeep boot install --user ${account.name}`;
  const mayNot = scope === 'system' && process.getuid?.() !== 0;
  return mayNot ? `sudo upkeep boot install --user ${account.name}` : 'upkeep boot install';
}

function problem(message: string, hint: string): BootFinding {
  return { severity: 'problem', message, hint };
}

function notice(message: string, hint: string): BootFinding {
  return { severity: 'notice', message, hint };
}

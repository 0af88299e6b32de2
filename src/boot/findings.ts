/** What stands between a home and its daemon after a boot, each with the next step. */
import { versionManagerOf } from './daemon-facts.js';
import { lingerCommand } from './linger.js';
import type { BootStatus } from './status.js';
import type { Target } from './target.js';
import { homeIn, missingFiles } from './units-on-disk.js';

export interface BootFinding {
  /** `problem`: after a boot the daemon would not be there, or not this one. */
  readonly severity: 'problem' | 'notice';
  readonly message: string;
  readonly hint: string;
}

export interface Evidence {
  readonly target: Target;
  /** Of the unit file; undefined: there is none. */
  readonly text: string | undefined;
  /** systemd has read another text. */
  readonly needsReload: boolean;
}

type Facts = Omit<BootStatus, 'findings'>;

export function problemsOf(facts: Facts, { target, text }: Evidence): BootFinding[] {
  const { unit, home, hasSystemd, isEnabled, isLingering: lingers, user } = facts;
  const problems: BootFinding[] = [];
  const note = (message: string, hint: string): void =>
    void problems.push({ severity: 'problem', message, hint });
  if (!hasSystemd) {
    note('systemd does not run on this machine', 'upkeep boot install --init launchd | openrc');
    return problems;
  }
  if (text === undefined) {
    note('nothing starts the daemon at boot', installCommand(target));
    return problems;
  }
  const theirs = homeIn(text) ?? 'unknown';
  if (theirs !== home)
    note(`${unit} starts another home: ${theirs}`, `${installCommand(target)} --unit upkeep-<name>`);
  for (const file of missingFiles(text))
    note(`${unit} needs ${file}, which does not exist`, installCommand(target));
  if (!isEnabled) note(`${unit} is not enabled`, `${systemctlOf(facts)} enable ${unit}`);
  if (lingers === false)
    note(`systemd of "${user}" starts with the first login, not at boot`, lingerCommand(target.account));
  problems.push(...rivalry(facts));
  return problems;
}

/** A daemon that a command started holds the lock: that of systemd has to wait. */
function rivalry(facts: Facts): BootFinding[] {
  const { way, isActive, unit } = facts;
  if (way === 'on-demand') {
    const message = `the daemon that runs is not that of ${unit}, which cannot start its own`;
    return [{ severity: 'problem', message, hint: 'upkeep daemon stop && upkeep daemon start' }];
  }
  if (isActive) return [];
  const message = `${unit} is not active`;
  return [{ severity: 'problem', message, hint: `${systemctlOf(facts)} start ${unit}` }];
}

export function noticesOf(facts: Facts, { target, text, needsReload }: Evidence): BootFinding[] {
  const { unit, node, differences } = facts;
  if (!facts.hasSystemd || text === undefined) return [];
  const notices: BootFinding[] = [];
  const note = (message: string, hint: string): void =>
    void notices.push({ severity: 'notice', message, hint });
  if (needsReload)
    note('systemd has read an older version of the unit', `${systemctlOf(facts)} daemon-reload`);
  if (differences.length > 0)
    note(`${unit} would be written otherwise now: ${differences.join(', ')}`, installCommand(target));
  const manager = node === null ? undefined : versionManagerOf(node);
  if (manager !== undefined) {
    note(
      `${node} belongs to ${manager}, which may take it away`,
      `use a Node.js of the system, then: ${installCommand(target)}`,
    );
  }
  return notices;
}

function installCommand({ isSelf, account, scope }: Target): string {
  const isRoot = process.getuid?.() === 0;
  const sudo = scope === 'system' && !isRoot ? 'sudo ' : '';
  const user = !isSelf || sudo !== '' ? ` --user ${account.name}` : '';
  return `${sudo}upkeep boot install${user}`;
}

function systemctlOf({ scope }: Facts): string {
  if (scope === 'user') return 'systemctl --user';
  return process.getuid?.() === 0 ? 'systemctl' : 'sudo systemctl';
}

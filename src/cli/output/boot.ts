/** Words what `upkeep boot` did and found. */
import type { BootStatus, Installation, Removal, Target, Way } from '../../boot/index.js';
import { outColors } from './color.js';

const WAYS: Readonly<Record<Way, string>> = {
  'on-demand': 'simple: started by a command',
  'user-systemd': 'systemd of the user',
  'system-systemd': 'systemd of the machine',
};

export function wordInstallation({ unit, path, account }: Target, { daemon }: Installation): string {
  const { pid, instances } = daemon;
  const taken = instances === 0 ? '' : `; ${countInstances(instances)} went on without noticing`;
  return [
    `${unit} starts the daemon of "${account.name}" at boot (${path})`,
    `  the daemon runs with pid ${pid}${taken}`,
    '  try it without a boot: upkeep boot test',
  ].join('\n');
}

export function wordRemoval({ unit, path }: Target, { wasInstalled, hasDaemon }: Removal): string {
  if (!wasInstalled) return `There is no ${path}: nothing was installed`;
  const fate = hasDaemon
    ? 'a daemon that was started on demand has taken the services back'
    : 'services that run go on; the next upkeep command of their user takes them back';
  return `${unit} is removed; ${fate}`;
}

export function formatBootStatus(status: BootStatus): string {
  const { way, daemonPid, isInstalled, isEnabled, isActive, isLingering, node, path, differences } = status;
  const rows: [string, string][] = [
    ['daemon', way === null ? 'not running' : `pid ${daemonPid}, ${WAYS[way]}`],
    ['home', `${status.home} of "${status.user}"`],
    ['unit', isInstalled ? path : `none (${path} does not exist)`],
  ];
  if (isInstalled) {
    rows.push(
      ['enabled', yesNo(isEnabled)],
      ['active', yesNo(isActive)],
      ...(isLingering === null ? [] : [['linger', yesNo(isLingering)] satisfies [string, string]]),
      ['node', node ?? 'unknown: the unit was not written by upkeep'],
      ['as written now', differences.length === 0 ? 'yes' : `no: ${differences.join(', ')}`],
    );
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    ...rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`),
    ...status.findings.flatMap(({ severity, message, hint }) => [
      severity === 'problem' ? outColors.red(`problem: ${message}`) : outColors.yellow(`notice: ${message}`),
      `  hint: ${hint}`,
    ]),
  ].join('\n');
}

function yesNo(is: boolean): string {
  return is ? 'yes' : 'no';
}

function countInstances(count: number): string {
  return count === 1 ? '1 instance' : `${count} instances`;
}

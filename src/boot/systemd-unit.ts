/** The unit file, as text. docs/boot.md explains each line. */
import type { SystemdScope } from '../client/index.js';
import type { DaemonFacts } from './daemon-facts.js';

/** Where the daemon cannot begin at all, the journal says why, once a second: the reason must be in the first line. */
const CHECK =
  'for file; do [ -e "$file" ] || { echo "Cannot start upkeep: $file does not exist; ' +
  'install it again, or write this unit anew: upkeep boot install" >&2; exit 69; }; done';

export function systemdUnit(facts: DaemonFacts, scope: SystemdScope): string {
  return [
    '# Written by "upkeep boot install", which overwrites it; what you want to change belongs into a drop-in:',
    `#   systemctl ${scope === 'user' ? '--user ' : ''}edit <this unit>`,
    '[Unit]',
    `Description=upkeep keeps the services of ${escape(facts.user)} up`,
    ...(scope === 'system' ? machineDependencies(facts) : []),
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    '# The daemon speaks through a small process of its own; also the one that takes over from it in an upgrade.',
    'NotifyAccess=all',
    ...(scope === 'system' ? [`User=${facts.user}`] : []),
    'WorkingDirectory=/',
    `Environment=${quote(`UPKEEP_HOME=${facts.home}`)}`,
    `Environment=${quote(`PATH=${facts.searchPath}`)}`,
    `ExecStartPre=${words(['/bin/sh', '-c', CHECK, 'upkeep', ...facts.needed])}`,
    `ExecStart=${words(facts.command)}`,
    `StandardOutput=append:${escape(facts.log)}`,
    'StandardError=journal',
    'SyslogIdentifier=upkeep',
    'Restart=always',
    'RestartSec=1',
    'TimeoutStartSec=90',
    'TimeoutStopSec=90',
    '# Services are not ended with the daemon: it takes them back when it is there again. Where the machine goes down,',
    '# the daemon ends them itself, in order.',
    'KillMode=process',
    'OOMPolicy=continue',
    'Delegate=yes',
    'TasksMax=infinity',
    'LimitNOFILE=1048576',
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user' : 'default'}.target`,
    '',
  ].join('\n');
}

/** The network is there, and the file systems that hold what is to run. */
function machineDependencies({ home, needed }: DaemonFacts): string[] {
  return [
    'Wants=network-online.target',
    'After=network-online.target remote-fs.target time-sync.target',
    `RequiresMountsFor=${[home, ...needed].map(quoteIfNeeded).join(' ')}`,
  ];
}

/** A variable that a unit written here sets. */
export function unitVariable(text: string, name: string): string | undefined {
  const [, value] = new RegExp(`^Environment="${name}=(.*)"$`, 'm').exec(text) ?? [];
  return value?.replaceAll('%%', '%').replaceAll(/\\(.)/g, '$1');
}

/** Files that the command of a unit written here needs, from its check: the shim, Node, the daemon. */
export function unitFiles(text: string): string[] {
  const [, list = ''] = /^ExecStartPre=.*" upkeep (.*)$/m.exec(text) ?? [];
  return [...list.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted = word]) =>
    quoted.replaceAll('$$', '$').replaceAll('%%', '%').replaceAll(/\\(.)/g, '$1'),
  );
}

/** The same unit for another home, and for no boot. */
export function relocatedUnit(text: string, from: string, to: string): string {
  const path = escape(from).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const moved = text.replaceAll(new RegExp(`${path}(?=[/" ]|$)`, 'gm'), () => escape(to));
  return moved.replace(/\n\[Install\][^]*$/, '');
}

/** Names of the lines in which two units differ. */
export function unitDifferences(installed: string, wanted: string): string[] {
  const lines = (text: string): string[] => text.split('\n').filter((line) => /^\w+=/.test(line));
  const [have, want] = [lines(installed), lines(wanted)];
  const differing = [
    ...have.filter((line) => !want.includes(line)),
    ...want.filter((line) => !have.includes(line)),
  ];
  return [...new Set(differing.map((line) => line.slice(0, line.indexOf('='))))];
}

function words(argv: readonly string[]): string {
  return argv.map((word) => quoteIfNeeded(word.replaceAll('$', '$$$$'))).join(' ');
}

function quoteIfNeeded(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? escape(text) : quote(text);
}

function quote(text: string): string {
  return `"${escape(text.replaceAll(/["\\]/g, String.raw`\$&`))}"`;
}

function escape(text: string): string {
  return text.replaceAll('%', '%%');
}

/** Words the daemon itself. */
import type { BootUnit } from '../../client/index.js';
import type { DaemonView, UpgradeView } from '../../protocol/index.js';
import { formatDuration } from '../../util/index.js';

export function formatDaemon(daemon: DaemonView, now = Date.now()): string {
  const age = formatDuration(Math.max(0, now - Date.parse(daemon.startedAt)));
  return [
    `The daemon is running with pid ${daemon.pid}, for ${age}`,
    `  version   ${daemon.version} (protocol ${daemon.protocol}, node ${daemon.node})`,
    `  guardian  ${wordGuardian(daemon)}`,
    `  home      ${daemon.home}`,
    `  services  ${daemon.services} (${daemon.instances} ${daemon.instances === 1 ? 'instance' : 'instances'})`,
  ].join('\n');
}

function wordGuardian({ guardian }: DaemonView): string {
  return guardian ? `pid ${guardian}, starts the daemon again if it dies` : 'none';
}

/** What becomes of the services is the question of everybody who ends a process manager. */
export function wordDaemonEnd({ pid, instances }: DaemonView): string {
  const fate =
    instances === 0
      ? 'no service was running'
      : `${instances} running ${instances === 1 ? 'instance goes' : 'instances go'} on and will be taken back by the next daemon`;
  return `The daemon with pid ${pid} has ended; ${fate}`;
}

export function wordUpgrade({ from, to }: UpgradeView): string {
  return `The daemon ${to.version} with pid ${to.pid} has taken over from ${from.version} with pid ${from.pid}; no service was touched`;
}

/** Otherwise it would be back within a second. */
export function wordUnitEnd({ unit }: BootUnit): string {
  return `${unit} of systemd is stopped: the daemon comes back at the next boot, or with the next command that needs it`;
}

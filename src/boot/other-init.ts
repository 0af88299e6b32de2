/** Files for init systems that upkeep was never tried with. They say so themselves. */
import { UpkeepError } from '../protocol/index.js';
import type { DaemonFacts } from './daemon-facts.js';

export interface InitFile {
  readonly text: string;
  /** What to do with it. */
  readonly steps: readonly string[];
}

export const OTHER_INITS = ['launchd', 'openrc'] as const;

const UNTESTED = 'UNTESTED: made by upkeep from the manual, never run. Read it before you use it.';

export function otherInitFile(init: string, facts: DaemonFacts): InitFile {
  switch (init) {
    case 'launchd':
      return {
        text: launchd(facts),
        steps: [
          'save it as /Library/LaunchDaemons/upkeep.plist, owned by root',
          'launchctl bootstrap system /Library/LaunchDaemons/upkeep.plist',
        ],
      };
    case 'openrc':
      return {
        text: openrc(facts),
        steps: ['save it as /etc/init.d/upkeep, executable', 'rc-update add upkeep default'],
      };
    default:
      throw new UpkeepError('usage', `Cannot write a file for "${init}": upkeep knows no such init system`, {
        hint: `systemd, ${OTHER_INITS.join(' or ')}`,
      });
  }
}

/** AbandonProcessGroup: without it launchd would end the services with the daemon. */
function launchd({ user, home, log, command, searchPath }: DaemonFacts): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${UNTESTED} -->
<plist version="1.0">
<dict>
  <key>Label</key><string>upkeep</string>
  <key>UserName</key><string>${xml(user)}</string>
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    <string>${xml(word)}</string>`).join('\n')}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>UPKEEP_HOME</key><string>${xml(home)}</string>
    <key>PATH</key><string>${xml(searchPath)}</string>
  </dict>
  <key>WorkingDirectory</key><string>/</string>
  <key>StandardOutPath</key><string>${xml(log)}</string>
  <key>StandardErrorPath</key><string>${xml(log)}</string>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <key>AbandonProcessGroup</key><true/>
</dict>
</plist>
`;
}

/** respawn signals the daemon alone; rc_cgroup_cleanup, where it is set, would end the services with it. */
function openrc({ user, homeFolder, home, log, needed, command, searchPath }: DaemonFacts): string {
  const [program = '', ...args] = command;
  return `#!/sbin/openrc-run
# ${UNTESTED}
name="upkeep"
description="keeps the services of ${user} up"
supervisor="supervise-daemon"
command=${sh(program)}
command_args="${args.map((word) => sh(word).replaceAll(/["\\$`]/g, String.raw`\$&`)).join(' ')}"
command_user=${sh(user)}
directory="/"
output_log=${sh(log)}
error_log=${sh(log)}
respawn_delay=1
respawn_max=0
rc_cgroup_cleanup="NO"
rc_ulimit="-n 1048576"

depend() {
  need localmount
  use net dns
  after bootmisc
}

start_pre() {
  export UPKEEP_HOME=${sh(home)} HOME=${sh(homeFolder)} PATH=${sh(searchPath)}
  for file in ${needed.map(sh).join(' ')}; do
    [ -e "$file" ] || { eerror "Cannot start upkeep: $file does not exist"; return 1; }
  done
}
`;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function sh(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

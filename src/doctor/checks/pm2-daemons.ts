/** A second supervisor: every daemon of PM2, by the title that it gives itself. */
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { pm2Applications, pm2Daemons, type Pm2Daemon } from '../supervised.js';
import { wordCount, wordTime } from '../words.js';

export function findPm2Daemons(machine: Machine): Finding[] {
  const daemons = pm2Daemons(machine);
  return daemons.map((daemon) => toFinding(machine, daemon, daemons));
}

function toFinding(machine: Machine, daemon: Pm2Daemon, all: readonly Pm2Daemon[]): Finding {
  const { process, version, home, isReached, end } = daemon;
  const { pid, executable, startedAt } = process;
  const applications = pm2Applications(machine, daemon).length;
  const isGone = executable !== undefined && executable.now !== 'same';
  const sharers = all.filter((other) => other !== daemon && other.home === home);
  const words = [
    `a daemon of PM2 ${version} (pid ${pid}, home ${home}) runs ${wordCount(applications, 'application')} since ${wordTime(startedAt)}`,
    ...(isGone ? [`its executable ${executable.path} is ${executable.now}`] : []),
    ...sharers.map((other) => `pid ${other.process.pid} (PM2 ${other.version}) uses the same home`),
    ...(isReached ? [] : ['the command pm2 does not reach it']),
  ];
  return {
    id: 'pm2-daemon',
    severity: isGone || sharers.length > 0 ? 'error' : 'warning',
    fact: words.join('; '),
    evidence: {
      pid,
      version,
      home,
      applications,
      daemons: all.length,
      executable: executable?.path ?? null,
      isExecutableGone: isGone,
      isReached,
      since: wordTime(startedAt),
    },
    command: end,
  };
}

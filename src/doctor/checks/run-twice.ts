/** The same application under several supervisors: each restarts what another one ends. */
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { homeApplications, isSame, pm2Applications, pm2Daemons, type Application } from '../supervised.js';

export function findRunTwice(machine: Machine): Finding[] {
  const applications = [
    ...machine.homes.flatMap((home) => homeApplications(machine, home)),
    ...pm2Daemons(machine).flatMap((daemon) => pm2Applications(machine, daemon)),
  ];
  return groupSame(applications)
    .filter((group) => supervisorsOf(group).size > 1)
    .map(toFinding);
}

function groupSame(applications: readonly Application[]): Application[][] {
  const groups: Application[][] = [];
  for (const application of applications) {
    const group = groups.find((members) => members.some((member) => isSame(member, application)));
    if (group) group.push(application);
    else groups.push([application]);
  }
  return groups;
}

function supervisorsOf(group: readonly Application[]): ReadonlySet<string> {
  return new Set(group.map(({ supervisor }) => supervisor));
}

/** The first supervisor keeps it: the home that is asked about, where it runs there. */
function toFinding(group: readonly Application[]): Finding {
  const [first] = group as [Application];
  const others = group.filter(({ supervisor }) => supervisor !== first.supervisor);
  return {
    id: 'run-twice',
    severity: 'error',
    fact: `${first.script ?? first.command} is run by ${supervisorsOf(group).size} supervisors: ${group.map(word).join(', ')}`,
    evidence: {
      script: first.script ?? null,
      runs: group.map(({ supervisor, name, pid = null }) => ({ supervisor, name, pid })),
    },
    command: [...new Set(others.map(({ end }) => end))].join(' && '),
  };
}

function word({ name, pid, supervisor }: Application): string {
  return `"${name}" (${pid === undefined ? 'not running' : `pid ${pid}`}) of ${supervisor}`;
}

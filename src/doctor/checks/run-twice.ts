/** The same application under two supervisors: each restarts what the other one ends. */
import type { Finding } from '../finding.js';
import type { Machine } from '../machine.js';
import { homeApplications, isSame, pm2Applications, pm2Daemons, type Application } from '../supervised.js';

export function findRunTwice(machine: Machine): Finding[] {
  const groups = [
    ...machine.homes.map((home) => homeApplications(machine, home)),
    ...pm2Daemons(machine).map((daemon) => pm2Applications(machine, daemon)),
  ];
  return groups.flatMap((group, at) => {
    const others = groups.slice(at + 1).flat();
    const pairs = group.flatMap((one) => {
      const other = others.find((candidate) => isSame(one, candidate));
      return other ? [[one, other] as const] : [];
    });
    return pairs.map(([one, other]) => toFinding(one, other));
  });
}

function toFinding(one: Application, other: Application): Finding {
  const what = one.script ?? one.command;
  return {
    id: 'run-twice',
    severity: 'error',
    fact: `${what} is run twice: ${word(one)} and ${word(other)}`,
    evidence: {
      script: one.script ?? null,
      runs: [one, other].map(({ supervisor, name, pid = null }) => ({ supervisor, name, pid })),
    },
    command: other.end,
  };
}

function word({ name, pid, supervisor }: Application): string {
  return `as "${name}" (${pid === undefined ? 'not running' : `pid ${pid}`}) by ${supervisor}`;
}

/** Variables that a running process has and would not get now, or the other way round. Only names are told. */
import { isBaseVariable } from '../../core/index.js';
import type { Finding } from '../finding.js';
import type { ExpectedEnvironment, LiveInstance, Machine } from '../machine.js';
import { wordList } from '../words.js';

/** What upkeep, its preload and its shim add. */
const OURS = /^(?:UPKEEP_\w+|LISTEN_(?:FDS|FDNAMES|PID)|NOTIFY_SOCKET|NODE_OPTIONS)$/;

export function findEnvironments(machine: Machine): Finding[] {
  return machine.home.instances.flatMap((instance) => judge(machine, instance));
}

function judge(machine: Machine, { service, instance, main, shim }: LiveInstance): Finding[] {
  const spec = machine.home.services.find((stored) => stored.spec.name === service)?.spec;
  const expected = spec && machine.environmentOf(spec);
  // The shim has what it gave, however the program changes its own memory.
  if (!main || !expected || !shim.environment) return [];
  const names = drift(shim.environment, expected);
  if (names.length === 0) return [];
  return [
    {
      id: 'environment-drift',
      severity: 'warning',
      fact: `${service}.${instance} (pid ${main.pid}) would get another environment now: ${wordList(names, 8)}`,
      evidence: { service, pid: main.pid, names },
      command: `upkeep reload ${service}`,
    },
  ];
}

function drift(actual: Readonly<Record<string, string>>, { known, unknown }: ExpectedEnvironment): string[] {
  const isJudged = (name: string): boolean =>
    !OURS.test(name) && !isBaseVariable(name) && !unknown.includes(name);
  const names = new Set([...Object.keys(actual), ...Object.keys(known)]);
  return [...names].filter((name) => isJudged(name) && actual[name] !== known[name]).sort();
}

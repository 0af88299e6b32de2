/** A port that services of two homes declare: whichever starts second fails. */
import type { Finding } from '../finding.js';
import type { Home, Machine } from '../machine.js';
import { declaresPort } from '../supervised.js';
import { upkeepCommand } from '../words.js';

export function findSharedPorts(machine: Machine): Finding[] {
  const { home, homes } = machine;
  return wantedPorts(home).flatMap(({ service, port }) =>
    homes.slice(1).flatMap((other) => {
      const rival = other.services.find((candidate) => declaresPort(candidate, port))?.spec.name;
      if (rival === undefined) return [];
      return {
        id: 'port-in-two-homes',
        severity: 'error',
        fact: `port ${port} is declared by "${service}" and by "${rival}" in ${other.path}`,
        evidence: { port, service, other: { home: other.path, service: rival } },
        command: upkeepCommand(machine, other, 'stop', rival),
      };
    }),
  );
}

export function wantedPorts({ services }: Home): { service: string; port: number }[] {
  return services
    .filter(({ isWanted }) => isWanted)
    .flatMap(({ spec }) => spec.ports.map(({ port }) => ({ service: spec.name, port })));
}

/** A declared port on which somebody else listens. */
import type { Finding } from '../finding.js';
import type { Machine, Process } from '../machine.js';
import { declaresPort } from '../supervised.js';
import { commandOf, homeOf, wordProcess, wordTime } from '../words.js';
import { wantedPorts } from './shared-ports.js';

export function findHeldPorts(machine: Machine): Finding[] {
  return wantedPorts(machine.home).flatMap(({ service, port }) => {
    const holders = machine.listenersOn(port);
    if (!holders || holders.some((holder) => homeOf(machine, holder) === machine.home)) return [];
    if (isOfAnotherHome(machine, holders, port)) return [];
    return toFinding(service, port, holders[0]);
  });
}

/** Told by `port-in-two-homes`. */
function isOfAnotherHome(machine: Machine, holders: readonly Process[], port: number): boolean {
  const owners = holders.map((holder) => homeOf(machine, holder));
  return owners.some((home) => home?.services.some((service) => declaresPort(service, port)));
}

function toFinding(service: string, port: number, holder: Process | undefined): Finding[] {
  const who = holder
    ? `${wordProcess(holder)}, uid ${holder.uid ?? 'unknown'}, since ${wordTime(holder.startedAt)}`
    : 'a process that cannot be seen without privilege';
  return [
    {
      id: 'port-held-by-stranger',
      severity: 'error',
      fact: `port ${port} of "${service}" is held by ${who}`,
      evidence: {
        port,
        service,
        pid: holder?.pid ?? null,
        uid: holder?.uid ?? null,
        command: holder ? commandOf(holder) : null,
        since: holder ? wordTime(holder.startedAt) : null,
      },
      command: holder ? `kill ${holder.pid}` : `sudo ss -lptn 'sport = :${port}'`,
    },
  ];
}

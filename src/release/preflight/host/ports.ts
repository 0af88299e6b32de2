/** Whether the ports of a service are free, or held by what it replaces: a stranger would keep every new instance from starting. */
import { findListener, readCommand, readEnvironment, readProcess } from '../../../system/index.js';
import { maskCommand } from '../../../util/index.js';
import type { Facts } from '../facts/facts.js';
import type { Finding } from '../finding.js';

const SHIM_NAME = 'upkeep-shim';

export function judgePorts({ services, job, host }: Facts): Finding[] {
  const ours = new Set(services.map(({ spec }) => spec.name));
  return services.flatMap(({ spec }) =>
    spec.ports.map(({ port }): Finding => {
      const holder = findListener(port);
      const stranger = holder && wordStranger(holder.pid, job.home, ours);
      if (stranger === undefined) {
        const text = `port ${port} of ${spec.name} is ${holder ? 'held by upkeep' : 'free'} on host "${host}"`;
        return { area: 'host', rule: 'port', subject: String(port), verdict: 'passed', text };
      }
      const text = `port ${port} of ${spec.name} is in use by ${stranger} on host "${host}"`;
      const hint = `stop that process, or set a free port for ${spec.name}`;
      return { area: 'host', rule: 'port', subject: String(port), verdict: 'failed', text, hint };
    }),
  );
}

/** undefined: it is this daemon's launcher, which holds it for the service, or an instance of the group. */
function wordStranger(pid: number | null, home: string, ours: ReadonlySet<string>): string | undefined {
  if (pid === null) return 'a process of another user';
  const environment = readEnvironment(pid);
  const service = environment?.['UPKEEP_SERVICE'];
  if (readProcess(pid)?.name === SHIM_NAME) return undefined;
  if (environment?.['UPKEEP_HOME'] === home && service !== undefined)
    return ours.has(service) ? undefined : `service ${service} (pid ${pid})`;
  return `pid ${pid} (${maskCommand(readCommand(pid) ?? 'ended', 80)})`;
}

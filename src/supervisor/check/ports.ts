/** Whether the instance itself listens where it should. */
import { listeningSockets, holdsSocket } from '../../system/index.js';
import { wordElsewhere, type CheckResult, type CheckTarget } from './target.js';

/**
 * Looks at what was reported and at the sockets themselves: no connection that the application would notice, and no
 * stranger's port.
 */
export function checkPorts(target: CheckTarget): CheckResult {
  const reported = target.listening();
  const unreported = target.ports.filter(({ port }) => !reported.some((each) => each.port === port));
  const sockets = unreported.map(({ port }) => ({
    port,
    inodes: target.isHeld(port) ? new Set<string>() : listeningSockets(port),
  }));
  const silent = sockets.find(({ inodes }) => inodes.size === 0);
  if (silent) {
    const instead = wordElsewhere(
      target,
      target.ports.map(({ port }) => port),
    );
    return { isSuccess: false, detail: `nothing listens on port ${silent.port}${instead}` };
  }
  const pids = sockets.length === 0 ? [] : target.pids();
  const foreign = sockets.find(({ inodes }) => !pids.some((pid) => holdsSocket(pid, inodes)));
  if (foreign) return { isSuccess: false, detail: `port ${foreign.port} is held by another process` };
  return { isSuccess: true, detail: `listens on port ${target.ports.map(({ port }) => port).join(', ')}` };
}

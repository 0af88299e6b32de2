import type { ServiceSpec } from '../protocol/index.js';
import { findListener, readCommand } from '../system/index.js';

/** A stranger on a port that the service declares, in words. Instances of one service may share theirs. */
export function findPortHolder(spec: ServiceSpec): string | undefined {
  if (spec.instances > 1) return undefined;
  for (const { port } of spec.ports) {
    const holder = findListener(port);
    if (!holder) continue;
    const { pid } = holder;
    const who = pid === null ? 'another user' : `pid ${pid} (${readCommand(pid) ?? 'ended'})`;
    return `port ${port} is in use by ${who}`;
  }
  return undefined;
}

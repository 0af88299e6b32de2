/** Who stands in the way of a service that wants to listen. */
import type { ServiceSpec } from '../protocol/index.js';
import { findListener, readCommand } from '../system/index.js';

/** A stranger on a port that the service declares, in words. Instances of one service may share theirs. */
export function findPortHolder(spec: ServiceSpec): string | undefined {
  if (spec.instances > 1) return undefined;
  for (const { port } of spec.ports) {
    const who = wordHolder(port);
    if (who !== undefined) return `port ${port} is in use by ${who}`;
  }
  return undefined;
}

/** `pid 4121 (node /srv/app.js)`; undefined: nobody listens. */
export function wordHolder(port: number): string | undefined {
  const holder = findListener(port);
  if (!holder) return undefined;
  return holder.pid === null ? 'another user' : `pid ${holder.pid} (${readCommand(holder.pid) ?? 'ended'})`;
}

/** A door for upkeep alone: who comes in through it is served as if the public socket had accepted the connection. */
import { attempt } from './attempt.js';
import { createServerHandle } from './held-sockets.js';
import type { Handle } from './internals.js';

/** Null where it cannot be had. */
export function listenPrivately(path: string, onConnection: (client: Handle) => void): Handle | null {
  const handle = createServerHandle(path, -1, -1);
  if (typeof handle === 'number') return null;
  handle.onconnection = (error, client) => {
    if (error === 0 && client) attempt(() => onConnection(client));
  };
  if (handle.listen?.(8) !== 0) {
    handle.close();
    return null;
  }
  handle.unref();
  return handle;
}

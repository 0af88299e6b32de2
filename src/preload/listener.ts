/** One listening server of this process, and how it stops listening without the application's doing. */
import type { ListeningHow } from '../protocol/index.js';
import { attempt } from './attempt.js';
import { isOpen } from './held-sockets.js';
import type { Handle, ServerInternals, SocketName } from './internals.js';
import { KeepAlive } from './keep-alive.js';

export class Listener {
  readonly server: ServerInternals;
  readonly handle: Handle;
  readonly origin: ListeningHow;
  readonly address: string;
  readonly port: number;

  constructor(server: ServerInternals, handle: Handle, origin: ListeningHow) {
    const name = nameOf(handle);
    this.server = server;
    this.handle = handle;
    this.origin = origin;
    this.address = name.address || `unix:${server._pipeName || ''}`;
    this.port = name.port || 0;
  }

  /** cluster takes the handle out of the server that it listens with. */
  get isOpen(): boolean {
    return this.isFaux ? this.server._handle === this.handle : isOpen(this.handle);
  }

  /** A worker whose connections come from the primary has no socket of its own. */
  get isFaux(): boolean {
    return typeof this.handle.fd !== 'number';
  }

  /** By the application, not by stopAccepting(). */
  onClose(work: () => void): void {
    const { close } = this.handle;
    Object.defineProperty(this.handle, 'close', {
      configurable: true,
      writable: true,
      value(this: Handle, callback?: () => void) {
        attempt(work);
        return close.call(this, callback);
      },
    });
  }

  /**
   * Closes the handle only: the server still believes that it listens, so the application's own server.close() works
   * as ever. A faux handle stays: the connections that the primary has handed over must be served.
   */
  stopAccepting(): void {
    const { server, handle } = this;
    if (this.isFaux || !isOpen(handle)) return;
    if (server._handle === handle) server._handle = standInFor(handle);
    // Not handle.close(): onClose() has its own there, and a worker of cluster, which tells the primary.
    (Object.getPrototypeOf(handle) as Handle).close.call(handle);
  }
}

/** In the place of a closed handle, until the application closes its server. */
function standInFor(handle: Handle): Handle {
  const name = nameOf(handle);
  const keepAlive = new KeepAlive();
  if (handle.hasRef?.() === false) keepAlive.unref();
  return {
    onconnection: handle.onconnection,
    close(callback) {
      keepAlive.end();
      handle.close(callback);
    },
    ref: () => keepAlive.ref(),
    unref: () => keepAlive.unref(),
    getsockname(target) {
      Object.assign(target, name);
      return 0;
    },
  };
}

export function nameOf(handle: Handle): SocketName {
  const name: SocketName = {};
  if (typeof handle.getsockname === 'function') handle.getsockname(name);
  return name;
}

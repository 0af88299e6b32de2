/** The connections of some servers, found when they are looked for. */
import { attempt } from './attempt.js';
import { Http1Connection } from './drain-http.js';
import { Http2Connection, sessionOf } from './drain-http2.js';
import type { ServerInternals, SocketInternals } from './internals.js';
import { setImmediate } from './timers.js';
import { secured } from './tls-link.js';

/** How a kind of connection ends. */
export interface Protocol {
  /** Nothing is being answered. */
  readonly isIdle: boolean;
  /** Where the client knows already that it must not ask again, no longer than this. */
  readonly patienceMs?: number;
  /** Tells the client that it will end, if there is a way to. */
  announce(): void;
  /** Called when nothing came for a while. */
  closeIfIdle(): void;
}

interface LookOptions {
  /** New connections are still let in. */
  readonly isWelcome: boolean;
}

export class Connection {
  private readonly raw: SocketInternals;
  private protocol: Protocol | null = null;
  private isAnnounced = false;
  private bytes = -1;
  /** When something came or was answered last. */
  quietSince: number;

  constructor(raw: SocketInternals, at: number) {
    this.raw = raw;
    this.quietSince = at;
  }

  get isGone(): boolean {
    return this.raw.destroyed;
  }

  get isIdle(): boolean {
    return this.protocol?.isIdle === true;
  }

  isQuiet(at: number, idleMs: number): boolean {
    const patienceMs = (this.isAnnounced && this.protocol?.patienceMs) || idleMs;
    return at - this.quietSince >= Math.min(patienceMs, idleMs);
  }

  look(at: number, { isWelcome }: LookOptions): void {
    const protocol = protocolOf(this.socket, this.protocol);
    if (protocol !== this.protocol) this.isAnnounced = false;
    this.protocol = protocol;
    // A new session that is told to go would only come again: it is served until nobody is let in any more.
    if (!this.isAnnounced && !(isWelcome && protocol instanceof Http2Connection)) {
      this.isAnnounced = true;
      protocol?.announce();
    }
    const bytes = this.raw.bytesRead;
    if (bytes !== this.bytes || !this.isIdle) this.quietSince = at;
    this.bytes = bytes;
  }

  /** What came since the last look waits in the kernel perhaps: the poll phase comes between. */
  closeIfIdle(): void {
    setImmediate(() =>
      attempt(() => {
        if (this.isIdle && this.raw.bytesRead === this.bytes) this.protocol?.closeIfIdle();
      }),
    );
  }

  cut(): void {
    this.socket.end();
  }

  /** Above TLS, if there is any. */
  private get socket(): SocketInternals {
    return secured(this.raw);
  }
}

/** It changes: an upgraded socket has no parser any more. */
function protocolOf(socket: SocketInternals, known: Protocol | null): Protocol | null {
  const session = sessionOf(socket);
  if (session) return known instanceof Http2Connection ? known : new Http2Connection(session);
  if (!socket.parser) return null;
  return known instanceof Http1Connection ? known : new Http1Connection(socket);
}

export class ConnectionTable {
  private readonly servers = new Set<ServerInternals>();
  private connections = new Map<SocketInternals, Connection>();

  add(server: ServerInternals): void {
    this.servers.add(server);
  }

  get all(): readonly Connection[] {
    return [...this.connections.values()];
  }

  /** As the servers count them, those that were unref'ed included. */
  get count(): number {
    let count = 0;
    for (const { _connections } of this.servers) count += _connections;
    return count;
  }

  look(at: number, options: LookOptions): void {
    const seen = new Map<SocketInternals, Connection>();
    for (const handle of activeHandles()) {
      if (!this.isOurs(handle)) continue;
      const connection = this.connections.get(handle) ?? new Connection(handle, at);
      seen.set(handle, connection);
      attempt(() => connection.look(at, options));
    }
    this.connections = seen;
  }

  private isOurs(handle: object): handle is SocketInternals {
    const { server, _server } = handle as Partial<SocketInternals>;
    return [server, _server].some((its) => its !== null && its !== undefined && this.servers.has(its));
  }
}

export function activeHandles(): object[] {
  return (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles();
}

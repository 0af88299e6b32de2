/** What Node does not declare, and the preload lives on. Tried from 7.10 to 26: proofs/port/node-versions.ts. */
import type { ChildProcess } from 'node:child_process';
import type { Server, Socket } from 'node:net';

/** TCP or Pipe, or what stands in for one (cluster's workers have such). */
export interface Handle {
  readonly fd?: number;
  onconnection?: ((error: number, client?: Handle) => void) | undefined;
  /** The bytes, or nothing at the end; Node 11 and older: their number, negative at the end, and the bytes. */
  onread?: (...values: unknown[]) => void;
  readStart?(): number;
  listen?(backlog: number): number;
  close(callback?: () => void): void;
  getsockname?(name: SocketName): number;
  ref(): void;
  unref(): void;
  hasRef?(): boolean;
}

export interface SocketName {
  address?: string;
  port?: number;
}

/** What `_listen2` and `_createServerHandle` call an address: a path has the port -1. */
export interface Place {
  readonly address: string | null;
  readonly port: number | null;
}

export type ListenArguments = [
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog: number | undefined,
  fd: number | undefined,
  flags: number | undefined,
];

export interface ServerInternals extends Omit<Server, 'emit'> {
  _handle: Handle | null;
  _connections: number;
  _pipeName?: string;
  emit(event: string | symbol, ...values: unknown[]): boolean;
}

export interface ServerPrototype {
  _listen2(this: ServerInternals, ...values: ListenArguments): void;
}

export interface NetInternals {
  Server: { prototype: ServerPrototype };
  /** A number is the error. */
  _createServerHandle(
    address: string | null,
    port: number | null,
    addressType: number | null,
    fd?: number,
    flags?: number,
  ): Handle | number;
}

export interface SocketInternals extends Socket {
  _handle: Handle | null;
  server?: ServerInternals | null;
  _server?: ServerInternals | null;
  parser?: { readonly incoming?: object | null } | null;
  _httpMessage?: Response | null;
}

/** An http.ServerResponse. */
export interface Response {
  shouldKeepAlive: boolean;
  readonly _header: string | null;
  readonly req?: Request;
}

/** An http.IncomingMessage. */
export interface Request {
  readonly socket: SocketInternals;
}

export interface SpawnOptions {
  file?: string;
  args?: string[];
  envPairs?: string[];
  stdio?: unknown;
}

export interface ChildProcessPrototype {
  spawn(this: ChildProcess, options: SpawnOptions): unknown;
}

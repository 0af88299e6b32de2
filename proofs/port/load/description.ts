/**
 * What a load consists of: any number of clients of eight kinds, all at bounded rates.
 *
 * What the applications have to offer: `/pid?id=…&ms=…` answers `{"pid": …, "id": …}` after so many milliseconds, POST
 * `/sum?id=…` adds `bytes` and `crc32` of the body, `/download?bytes=…` streams text that begins with the pid and ends with
 * its own CRC, `/events?every=…&lasts=…` is an event stream of numbers, and the WebSocket `/echo` gives back each text.
 */
export interface LoadDescription {
  /** Of every client that says nothing else. */
  readonly port: number;
  readonly clients: readonly ClientDescription[];
  /** From its beginning to its end, a request may take this long; later it counts as hung. @default 20000 */
  readonly timeoutMs?: number;
}

export type ClientDescription =
  | ConnectionsDescription
  | KeepAliveDescription
  | PostsDescription
  | DownloadsDescription
  | Http2Description
  | EventsDescription
  | WebSocketsDescription
  | SocketIoDescription;

export type ClientKind = ClientDescription['kind'];

interface AnyClient {
  /** In the report. @default the kind */
  readonly name?: string;
  /** @default that of the load */
  readonly port?: number;
}

/** Clients that ask, think and ask again, each from half to one and a half of `thinkMs`. */
interface ThinkingClients extends AnyClient {
  readonly clients: number;
  readonly thinkMs: number;
}

/** A new connection for each request, at a rate that does not depend on the answers. */
export interface ConnectionsDescription extends AnyClient {
  readonly kind: 'connections';
  readonly perSecond: number;
  /** How long the application takes for an answer. @default 0 */
  readonly serviceMs?: number;
  /** Above this many at once, requests are left out and counted as such. @default 4000 */
  readonly maxInFlight?: number;
}

/** node:http with an agent that keeps its connection. */
export interface KeepAliveDescription extends ThinkingClients {
  readonly kind: 'keep-alive';
  /** @default 0 */
  readonly serviceMs?: number;
}

/** Bodies of random sizes; the answer says their length and CRC. */
export interface PostsDescription extends ThinkingClients {
  readonly kind: 'posts';
  /** @default 256 KiB */
  readonly maxBytes?: number;
  /** @default true */
  readonly isKeptAlive?: boolean;
}

/** Bodies that come in chunks over a time; their length and CRC are checked. */
export interface DownloadsDescription extends ThinkingClients {
  readonly kind: 'downloads';
  /** @default 64 KiB */
  readonly bytes?: number;
  /** Over which time the application spreads its chunks. @default 100 */
  readonly spreadMs?: number;
  /** @default true */
  readonly isKeptAlive?: boolean;
}

/** Sessions of HTTP/2 over TLS with so many streams at work in each. */
export interface Http2Description extends AnyClient {
  readonly kind: 'http2';
  readonly sessions: number;
  readonly streams: number;
  readonly thinkMs: number;
}

/** Server-sent events; a stream that has ended is opened again. */
export interface EventsDescription extends AnyClient {
  readonly kind: 'events';
  readonly clients: number;
  readonly everyMs: number;
  /** After this time the application ends the stream. @default never */
  readonly lastsMs?: number;
}

/** WebSockets that send a numbered text at a time and expect its echo; one that has ended is opened again. */
export interface WebSocketsDescription extends AnyClient {
  readonly kind: 'websockets';
  readonly clients: number;
  readonly everyMs: number;
  /** After this time the client closes. @default never */
  readonly lastsMs?: number;
}

/** The same with socket.io, over its WebSocket transport. */
export interface SocketIoDescription extends AnyClient {
  readonly kind: 'socket.io';
  readonly clients: number;
  readonly everyMs: number;
  /** @default never */
  readonly lastsMs?: number;
  /** Where `socket.io-client` is installed: a folder with node_modules. */
  readonly installedIn: string;
}

export function nameOf({ name, kind }: ClientDescription): string {
  return name ?? kind;
}

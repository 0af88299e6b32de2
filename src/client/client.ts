/** Speaks the routes of the protocol to one daemon, one connection for each request. */
import type { Socket } from 'node:net';
import {
  CLIENT_PID_HEADER,
  ENDPOINTS,
  ERRORS,
  PROTOCOL,
  PROTOCOL_HEADER,
  UpkeepError,
  VERSION_HEADER,
  type CallName,
  type Endpoint,
  type ErrorBody,
  type ErrorCode,
  type RouteAnswer,
  type RouteBody,
  type RouteName,
  type RouteParams,
  type RouteQuery,
  type StreamName,
} from '../protocol/index.js';
import { readEventStream } from './event-stream.js';
import { ownPackage } from './package.js';
import { CutOffError, readResponse, type Response } from './response.js';

/** Opens a connection to the daemon, by whatever it takes. */
export type Dial = () => Promise<Socket>;

export interface RequestOptions<N extends RouteName> {
  readonly params?: RouteParams<N>;
  readonly query?: RouteQuery<N>;
  readonly body?: RouteBody<N>;
  /** Ends a stream early, without an error. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Talk to a daemon of another protocol too: to see or end it.
   * @default false
   */
  readonly anyProtocol?: boolean;
  /**
   * How long a call may be without an answer, milliseconds; 0: for ever. Streams may be silent for any time.
   * @default 30_000
   */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;

type AnyOptions = {
  readonly params?: unknown;
  readonly query?: object;
  readonly body?: unknown;
  readonly anyProtocol?: boolean;
};

export class Client {
  readonly #dial: Dial;

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  async call<N extends CallName>(name: N, options: RequestOptions<N> = {}): Promise<RouteAnswer<N>> {
    try {
      return await this.#ask(name, options);
    } catch (error) {
      // A daemon that dies still takes connections until it is gone. A question may be put to the next one.
      if (ENDPOINTS[name].method !== 'GET' || !hasEndedMidway(error)) throw error;
      return this.#ask(name, options);
    }
  }

  async #ask<N extends CallName>(name: N, options: RequestOptions<N>): Promise<RouteAnswer<N>> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const socket = await this.#dial();
    socket.setTimeout(timeoutMs, () => socket.destroy(noAnswer(timeoutMs)));
    try {
      const response = await exchange(socket, ENDPOINTS[name], options);
      return JSON.parse(await readText(response)) as RouteAnswer<N>;
    } catch (error) {
      throw explainCutOff(error);
    } finally {
      socket.destroy();
    }
  }

  async *stream<N extends StreamName>(
    name: N,
    options: RequestOptions<N> = {},
  ): AsyncGenerator<RouteAnswer<N>> {
    const { signal } = options;
    if (signal?.aborted) return;
    const socket = await this.#dial();
    const onAbort = () => socket.destroy();
    signal?.addEventListener('abort', onAbort);
    try {
      const response = await exchange(socket, ENDPOINTS[name], options);
      yield* readEventStream(response.body, toError) as AsyncGenerator<RouteAnswer<N>>;
    } catch (error) {
      if (!signal?.aborted) throw explainCutOff(error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
    }
  }
}

/** Whether a daemon, of whatever protocol, is there. */
export async function isAnswering(client: Client): Promise<boolean> {
  try {
    await client.call('daemon', { anyProtocol: true });
    return true;
  } catch (error) {
    if (error instanceof UpkeepError && error.code === 'daemon-unreachable') return false;
    throw error;
  }
}

async function exchange(socket: Socket, endpoint: Endpoint, options: AnyOptions): Promise<Response> {
  socket.write(requestText(endpoint, options));
  const response = await readResponse(socket);
  if (!options.anyProtocol) validateProtocol(response);
  if (response.status >= 300) throw toError(await readText(response));
  return response;
}

function requestText({ method, path }: Endpoint, { params, query, body }: AnyOptions): string {
  const content = body === undefined ? '' : JSON.stringify(body);
  return [
    `${method} ${fillPath(path, (params ?? {}) as Record<string, string>)}${queryText(query ?? {})} HTTP/1.1`,
    'host: upkeep',
    'connection: close',
    `${PROTOCOL_HEADER}: ${PROTOCOL}`,
    `${VERSION_HEADER}: ${ownPackage().version}`,
    `${CLIENT_PID_HEADER}: ${process.pid}`,
    ...(body === undefined ? [] : ['content-type: application/json']),
    `content-length: ${Buffer.byteLength(content)}`,
    '',
    content,
  ].join('\r\n');
}

function fillPath(path: string, params: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function queryText(query: object): string {
  const pairs = Object.entries(query as Record<string, string | readonly string[] | undefined>).flatMap(
    ([key, value]) => [value ?? []].flat().map((one) => `${key}=${encodeURIComponent(one)}`),
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function validateProtocol({ headers }: Response): void {
  const theirs = headers.get(PROTOCOL_HEADER);
  if (theirs === String(PROTOCOL)) return;
  const { version } = ownPackage();
  throw new UpkeepError(
    'protocol-mismatch',
    `Cannot talk to the daemon: it is upkeep ${headers.get(VERSION_HEADER) ?? 'of an unknown version'} with ` +
      `protocol ${theirs ?? 'unknown'}, this command is upkeep ${version} with protocol ${PROTOCOL}`,
    { hint: 'replace the daemon, services go on running: upkeep daemon upgrade' },
  );
}

function toError(text: string): UpkeepError {
  const { code, message, hint, details } = parseErrorBody(text).error;
  // A newer daemon may know codes that this client does not.
  return new UpkeepError(code in ERRORS ? (code as ErrorCode) : 'internal', message, { hint, details });
}

function parseErrorBody(text: string): ErrorBody {
  try {
    return JSON.parse(text) as ErrorBody;
  } catch (cause) {
    throw new UpkeepError('internal', `Cannot read the answer of the daemon: ${text.slice(0, 200)}`, {
      cause,
    });
  }
}

async function readText({ body }: Response): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function noAnswer(timeoutMs: number): UpkeepError {
  const fact = `it gave no answer within ${timeoutMs / 1000} s`;
  return new UpkeepError('daemon-unreachable', `Cannot reach the daemon: ${fact}`, {
    hint: 'see whether its process is suspended, and what stands in daemon.log in the home of upkeep',
  });
}

/** A connection that breaks midway means that the daemon ended. */
function explainCutOff(error: unknown): unknown {
  const isCutOff = error instanceof CutOffError || isSystemError(error, ['ECONNRESET', 'EPIPE']);
  if (!isCutOff) return error;
  return new UpkeepError('daemon-unreachable', 'Cannot read the answer of the daemon: it ended midway', {
    hint: 'its last words stand in daemon.log in the home of upkeep',
    details: ENDED_MIDWAY,
    cause: error,
  });
}

const ENDED_MIDWAY = 'ended-midway';

/** The connection broke: whoever comes after this daemon may be asked the same. */
export function hasEndedMidway(error: unknown): boolean {
  return error instanceof UpkeepError && error.details === ENDED_MIDWAY;
}

export function isSystemError(error: unknown, codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

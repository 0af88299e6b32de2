/** HTTP over the unix socket: finds the route, checks the protocol, turns errors into answers. */
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  ERRORS,
  PROTOCOL,
  PROTOCOL_HEADER,
  ROUTES,
  UpkeepError,
  VERSION_HEADER,
  type Route,
  type RouteName,
} from '../protocol/index.js';
import { errorBody, Exchange } from './exchange.js';

export type Handler = (exchange: Exchange) => void | Promise<void>;
export type Handlers = { readonly [N in RouteName]: Handler };

export interface ApiOptions {
  readonly version: string;
  /** The built OpenAPI document, served at /openapi.json. */
  readonly openApiPath: string;
  /** Served at /metrics. */
  readonly metrics: { readonly type: string; readonly text: () => string };
  /** Bugs: logged with their stack. */
  readonly onInternalError: (error: unknown) => void;
}

/** Every route, as a regular expression over the path; the API is small enough for a walk. */
const PATTERNS = Object.entries(ROUTES as Record<string, Route>).map(([name, route]) => ({
  name: name as RouteName,
  route,
  keys: [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!),
  pattern: new RegExp(`^${route.path.replace(/\{\w+\}/g, '([^/]+)')}$`),
}));

export class ApiServer {
  readonly #server: Server;
  readonly #handlers: Handlers;
  readonly #options: ApiOptions;
  readonly #connections = new Set<Socket>();

  constructor(handlers: Handlers, options: ApiOptions) {
    this.#handlers = handlers;
    this.#options = options;
    this.#server = createServer((request, response) => void this.#handle(request, response));
    // Streams stay open for as long as somebody follows.
    this.#server.requestTimeout = 0;
    this.#server.timeout = 0;
    this.#server.on('connection', (connection: Socket) => {
      this.#connections.add(connection);
      connection.once('close', () => this.#connections.delete(connection));
    });
  }

  /** The caller holds the lock of the home, so whatever is at the path is a leftover. */
  async listen(socketPath: string): Promise<void> {
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ path: socketPath, backlog: 511 }, resolve);
    });
    chmodSync(socketPath, 0o600);
  }

  /** Ends open streams, too; `but` is still to be answered. */
  async close(but?: Exchange): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) if (!but?.isOn(connection)) connection.destroy();
    if (!but) await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader(PROTOCOL_HEADER, String(PROTOCOL));
    response.setHeader(VERSION_HEADER, this.#options.version);
    try {
      const [path = '/', search = ''] = (request.url ?? '/').split('?');
      if (path === '/openapi.json') return this.#answerOpenApi(response);
      if (path === '/metrics') return this.#answerMetrics(response);
      const { name, route, params } = findRoute(request.method ?? 'GET', path);
      validateProtocol(request, name);
      await this.#handlers[name](
        new Exchange(request, response, { route, params, query: new URLSearchParams(search) }),
      );
    } catch (error) {
      this.#answerError(response, error);
    }
  }

  #answerOpenApi(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(readFileSync(this.#options.openApiPath));
  }

  #answerMetrics(response: ServerResponse): void {
    const { type, text } = this.#options.metrics;
    response.writeHead(200, { 'content-type': type });
    response.end(text());
  }

  #answerError(response: ServerResponse, error: unknown): void {
    const known = error instanceof UpkeepError ? error : this.#toInternal(error);
    if (response.headersSent) return void response.destroy();
    response.writeHead(ERRORS[known.code].status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(errorBody(known)));
  }

  #toInternal(error: unknown): UpkeepError {
    this.#options.onInternalError(error);
    return new UpkeepError(
      'internal',
      `Internal error: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: 'this is a bug of upkeep; daemon.log in its home has the stack',
      },
    );
  }
}

function findRoute(
  method: string,
  path: string,
): { name: RouteName; route: Route; params: Record<string, string> } {
  for (const { name, route, keys, pattern } of PATTERNS) {
    const match = route.method === method ? pattern.exec(path) : null;
    if (!match) continue;
    const params = Object.fromEntries(keys.map((key, index) => [key, decodeURIComponent(match[index + 1]!)]));
    return { name, route, params };
  }
  throw new UpkeepError('route-not-found', `Cannot ${method} ${path}: there is no such route`, {
    hint: 'see GET /openapi.json',
  });
}

/** Of any protocol: the daemon itself can be seen, ended and replaced by every version. */
const STABLE: readonly RouteName[] = ['daemon', 'stopDaemon', 'upgradeDaemon'];

/** Whoever names no protocol (curl) is taken at their word. */
function validateProtocol(request: IncomingMessage, name: RouteName): void {
  const theirs = request.headers[PROTOCOL_HEADER];
  if (theirs === undefined || theirs === String(PROTOCOL) || STABLE.includes(name)) return;
  throw new UpkeepError(
    'protocol-mismatch',
    `Cannot answer: the client speaks protocol ${String(theirs)}, this daemon ${PROTOCOL}`,
    {
      hint: 'replace the daemon, services go on running: upkeep daemon upgrade',
    },
  );
}

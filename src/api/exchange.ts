/** One request and its answer, as the routes see them: JSON in, JSON or a stream of events out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { UpkeepError, type ErrorBody, type Route } from '../protocol/index.js';

const MAX_BODY_BYTES = 64 * 1024 * 1024;

export class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    matched: { route: Route; params: Readonly<Record<string, string>>; query: URLSearchParams },
  ) {
    this.#request = request;
    this.#response = response;
    this.#route = matched.route;
    this.params = matched.params;
    this.query = matched.query;
  }

  /** Whether it is this connection that the request came over. */
  isOn(connection: Socket): boolean {
    return this.#request.socket === connection;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** The number of a query parameter, or its default. Throws `bad-request` where it is none. */
  number(name: string, fallback: number): number {
    const text = this.query.get(name);
    if (text === null) return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new UpkeepError(
      'bad-request',
      `Cannot read query parameter "${name}": "${text}" is not a whole number`,
    );
  }

  /** The same where it may be absent. */
  optionalNumber(name: string): number | undefined {
    return this.query.has(name) ? this.number(name, 0) : undefined;
  }

  isSet(name: string): boolean {
    return ['1', 'true'].includes(this.query.get(name) ?? '');
  }

  /** Throws `bad-request`, which names what does not fit and where. */
  async body(): Promise<unknown> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of this.#request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES)
        throw new UpkeepError('bad-request', `Cannot read the request: more than ${MAX_BODY_BYTES} bytes`);
      chunks.push(chunk);
    }
    const result = v.safeParse(this.#route.body!, parseJson(Buffer.concat(chunks).toString('utf8')));
    if (result.success) return result.output;
    const [issue] = result.issues;
    const path = v.getDotPath(issue) ?? 'body';
    // The received value stays out of the message: it may be a secret.
    throw new UpkeepError(
      'bad-request',
      `Cannot read the request: ${path}: expected ${issue.expected ?? 'something else'}`,
      {
        hint: 'client and daemon may be of different versions: upkeep daemon status',
      },
    );
  }

  answer(value: unknown, status = 200): void {
    const text = JSON.stringify(value);
    this.#response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    this.#response.end(text);
  }

  /**
   * Begins a stream of server-sent events; `onClose` is called once, later, when the client has left or `end` was called:
   * also where it left before.
   */
  stream(onClose: () => void = () => undefined): EventStream {
    const response = this.#response;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    let isOpen = true;
    const close = (): void => {
      isOpen = false;
      onClose();
    };
    if (response.closed) process.nextTick(close);
    else response.once('close', close);
    return {
      isFull: () => response.writableNeedDrain,
      onDrained: (call) => void response.on('drain', call),
      send: (value) => {
        if (isOpen) response.write(`data: ${JSON.stringify(value)}\n\n`);
      },
      relay: (source) => void source.pipe(response, { end: false }),
      fail: (error) => {
        if (isOpen) response.end(`\n\nevent: error\ndata: ${JSON.stringify(errorBody(error))}\n\n`);
      },
      end: () => {
        if (isOpen) response.end();
      },
    };
  }
}

export interface EventStream {
  /** The client reads more slowly than `send` is called: what comes now stays in memory. */
  isFull(): boolean;
  /** Calls each time that it has read what it was sent. */
  onDrained(call: () => void): void;
  send(value: unknown): void;
  /** Sends what comes from somebody who knows the form of the stream, not faster than the client reads. */
  relay(source: Readable): void;
  /** Ends it with what went wrong: what was sent is not all. */
  fail(error: UpkeepError): void;
  end(): void;
}

export function errorBody({ code, message, hint, details }: UpkeepError): ErrorBody {
  return {
    error: {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(details === undefined ? {} : { details }),
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UpkeepError('bad-request', `Cannot read the request: ${(cause as Error).message}`);
  }
}

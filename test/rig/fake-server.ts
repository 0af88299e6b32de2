/** A real HTTP server that plays another one: it remembers what it was asked, sends files as servers do, and fails on demand. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** What goes wrong, with the next `times` requests whose URL has `at` in it. */
export type Trouble = { readonly at: string; times: number } & (
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** The connection is closed after so many bytes of the body. */
  | { readonly cutAfter: number }
  /** The body comes in pieces of this size, with a pause of a few milliseconds. */
  | { readonly piece: number }
  /** The request is never answered. */
  | { readonly isSilent: true }
);

export interface SentFile {
  readonly bytes: Buffer;
  /** @default a strong one of its content */
  readonly etag?: string | null;
  /** Whether ranges are understood. @default true */
  readonly hasRanges?: boolean;
  readonly headers?: Record<string, string>;
}

const PAUSE_MS = 5;

export type Answerer = (heard: Heard, response: ServerResponse) => void | Promise<void>;

export class FakeServer implements AsyncDisposable {
  readonly heard: Heard[] = [];
  readonly troubles: Trouble[] = [];
  readonly #server;

  constructor(answer: Answerer) {
    this.#server = createServer((request, response) => void this.#take(request, response, answer));
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Refuses connections from now on. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  /** With ETag, ranges, and whatever goes wrong with it. */
  async send(heard: Heard, response: ServerResponse, file: SentFile): Promise<void> {
    const { bytes, hasRanges = true, headers = {} } = file;
    const etag = file.etag === undefined ? `"${createHash('md5').update(bytes).digest('hex')}"` : file.etag;
    const start = hasRanges ? rangeOf(heard.headers, etag, bytes.length) : 0;
    const rest = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-type': 'application/octet-stream',
      'content-length': rest.length,
      ...(etag === null ? {} : { etag }),
      ...(hasRanges ? { 'accept-ranges': 'bytes' } : {}),
      ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
      ...headers,
    });
    const trouble = this.#troubleAt(
      heard,
      ({ cutAfter, piece }) => cutAfter !== undefined || piece !== undefined,
    );
    if (trouble && 'cutAfter' in trouble) {
      response.write(rest.subarray(0, trouble.cutAfter), () => response.socket?.end()); // not destroyed: what was sent arrives
      return;
    }
    if (trouble && 'piece' in trouble) await drip(response, rest, trouble.piece);
    response.end(trouble ? undefined : rest);
  }

  async #take(request: IncomingMessage, response: ServerResponse, answer: Answerer): Promise<void> {
    const url = request.url ?? '/';
    const heard = {
      method: request.method ?? 'GET',
      url,
      path: url.split('?')[0]!,
      headers: request.headers,
    };
    this.heard.push(heard);
    request.resume();
    response.on('error', () => undefined); // who asked may be gone
    const trouble = this.#troubleAt(heard, ({ status, isSilent }) => status !== undefined || isSilent);
    if (trouble && 'isSilent' in trouble) return;
    if (trouble && 'status' in trouble) {
      response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? '');
      return;
    }
    await answer(heard, response);
  }

  #troubleAt(
    { url }: Heard,
    isMeant: (trouble: {
      status?: number;
      isSilent?: boolean;
      cutAfter?: number;
      piece?: number;
    }) => boolean | undefined,
  ): Trouble | undefined {
    const trouble = this.troubles.find((each) => each.times > 0 && url.includes(each.at) && isMeant(each));
    if (trouble) trouble.times -= 1;
    return trouble;
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Where the client wants to go on, if the file is still the one that it knows. */
function rangeOf(headers: IncomingHttpHeaders, etag: string | null, length: number): number {
  const [, start] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const isSame = headers['if-range'] === undefined || headers['if-range'] === etag;
  return start !== undefined && isSame && Number(start) < length ? Number(start) : 0;
}

async function drip(response: ServerResponse, bytes: Buffer, piece: number): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += piece) {
    response.write(bytes.subarray(at, at + piece));
    await delay(PAUSE_MS);
  }
}

/** Services that fail in one way each, and what the load client has to make of it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import { crc32 } from 'node:zlib';
import type { ClientDescription, FailureClass, LoadReport } from '../load/index.js';
import { acceptOf } from '../load/kinds/websocket.js';

export interface Fault {
  /** "A service that …" */
  readonly that: string;
  readonly client: ClientDescription;
  /** Answers requests; all of them in the wrong way. undefined: nobody listens. */
  readonly serve?: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade?: (request: IncomingMessage, socket: Socket) => void;
  /** Of HTTP/2. */
  readonly serveStream?: (path: URL, response: Http2ServerResponse) => void;
  /** Why the report is not what it should be. */
  readonly flaw: (report: LoadReport) => string | undefined;
}

const ONCE = { perSecond: 20 } as const;
const KEPT = { clients: 2, thinkMs: 30 } as const;

const pid = 4711;
const idOf = ({ url }: IncomingMessage): string | null =>
  new URL(url!, 'http://localhost').searchParams.get('id');
const good = (request: IncomingMessage, response: ServerResponse): unknown =>
  response.end(JSON.stringify({ pid, id: idOf(request) }));

/** All requests that were not answered failed like this, and there were some. */
const only =
  (expected: FailureClass) =>
  ({ clients }: LoadReport): string | undefined => {
    const [client] = Object.values(clients);
    const { [expected]: count = 0, ...others } = client!.failures;
    if (count === 0) return `no "${expected}" among ${client!.started} requests`;
    if (Object.keys(others).length > 0) return `also ${JSON.stringify(others)}`;
    return count === client!.failed ? undefined : `${client!.failed} failures, but ${count} counted`;
  };

const none = ({ failures, streams }: LoadReport): string | undefined => {
  const cut = streams.filter(({ isClean }) => !isClean);
  if (failures.length === 0 && cut.length === 0) return undefined;
  return `${failures.length} failures and ${cut.length} cut streams, the first ${JSON.stringify(failures[0] ?? cut[0])}`;
};

const cut =
  (words: RegExp) =>
  ({ failures, streams }: LoadReport): string | undefined => {
    if (failures.length > 0) return `a failure: ${JSON.stringify(failures[0])}`;
    const cutOnes = streams.filter(({ by, isClean }) => by === 'server' && !isClean);
    if (cutOnes.length === 0) return 'no stream was cut';
    const other = cutOnes.find(({ detail }) => !words.test(detail));
    return other && `cut for another reason: ${other.detail}`;
  };

/** Answers the first request of each connection, and does something else to the second. */
const second =
  (spoil: (request: IncomingMessage, response: ServerResponse) => void) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const socket = request.socket as Socket & { isKnown?: true };
    if (socket.isKnown) return spoil(request, response);
    socket.isKnown = true;
    good(request, response);
  };

const download = (bytes: number, spoil = (text: Buffer): Buffer => text): Buffer => {
  const text = Buffer.alloc(bytes - 8, 'x');
  text.write(`pid ${pid} `);
  const sum = crc32(text).toString(16).padStart(8, '0');
  return Buffer.concat([spoil(text), Buffer.from(sum)]);
};

const event = (n: number): string => `data: ${JSON.stringify({ pid, n })}\n\n`;

function openSocket(request: IncomingMessage, socket: Socket): void {
  const accept = acceptOf(request.headers['sec-websocket-key']!);
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write([...head, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
}

const frame = (text: string): Buffer => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

export const FAULTS: readonly Fault[] = [
  { that: 'answers well', client: { kind: 'connections', ...ONCE }, serve: good, flaw: none },
  { that: 'is not there', client: { kind: 'connections', ...ONCE }, flaw: only('refused') },
  {
    that: 'ends a new connection without a word',
    client: { kind: 'connections', ...ONCE },
    serve: (request) => request.socket.destroy(),
    flaw: only('reset'),
  },
  {
    that: 'resets a new connection',
    client: { kind: 'connections', ...ONCE },
    serve: (request) => request.socket.resetAndDestroy(),
    flaw: only('reset'),
  },
  {
    that: 'says that it closes, and does',
    client: { kind: 'keep-alive', ...KEPT },
    serve: (request, response) => good(request, response.setHeader('Connection', 'close')),
    flaw: none,
  },
  {
    that: 'ends a kept connection when it is asked again',
    client: { kind: 'keep-alive', ...KEPT },
    serve: second((request) => request.socket.destroy()),
    flaw: only('reused_reset'),
  },
  {
    that: 'never answers',
    client: { kind: 'connections', ...ONCE },
    serve: () => undefined,
    flaw: only('hung'),
  },
  {
    that: 'answers 502',
    client: { kind: 'connections', ...ONCE },
    serve: (_, response) => response.writeHead(502).end(),
    flaw: only('wrong_status'),
  },
  {
    that: 'answers what somebody else has asked',
    client: { kind: 'connections', ...ONCE },
    serve: (_, response) => response.end(JSON.stringify({ pid, id: 'of-another' })),
    flaw: only('wrong_body'),
  },
  {
    that: 'loses a byte of what is posted',
    client: { kind: 'posts', ...KEPT, maxBytes: 1000 },
    serve: (request, response) => {
      const bytes = Number(request.headers['content-length']) + 1;
      request.resume().on('end', () => response.end(JSON.stringify({ pid, id: idOf(request), bytes })));
    },
    flaw: only('wrong_body'),
  },
  {
    that: 'ends a download before it was promised to end',
    client: { kind: 'downloads', ...KEPT, bytes: 1000 },
    serve: (request, response) => {
      response.setHeader('Content-Length', 1000).write(download(1000).subarray(0, 600));
      setTimeout(() => request.socket.destroy(), 10);
    },
    flaw: only('truncated'),
  },
  {
    that: 'ends a download without its last chunk',
    client: { kind: 'downloads', ...KEPT, bytes: 1000 },
    serve: (request, response) => {
      response.write(download(1000));
      setTimeout(() => request.socket.end(), 10);
    },
    flaw: only('truncated'),
  },
  {
    that: 'ends a download too early, but politely',
    client: { kind: 'downloads', ...KEPT, bytes: 1000 },
    serve: (_, response) => response.end(download(1000).subarray(0, 600)),
    flaw: only('wrong_body'),
  },
  {
    that: 'changes a byte of a download',
    client: { kind: 'downloads', ...KEPT, bytes: 1000 },
    serve: (_, response) => response.end(download(1000, (text) => (text.writeUInt8(66, 500), text))),
    flaw: only('wrong_body'),
  },
  {
    that: 'ends event streams as they should end',
    client: { kind: 'events', clients: 2, everyMs: 20 },
    serve: (_, response) => {
      response.write(event(1));
      setTimeout(() => response.end(event(2)), 50);
    },
    flaw: none,
  },
  {
    that: 'cuts event streams',
    client: { kind: 'events', clients: 2, everyMs: 20 },
    serve: (request, response) => {
      response.write(event(1));
      setTimeout(() => request.socket.end(), 50);
    },
    flaw: cut(/aborted/),
  },
  {
    that: 'leaves out an event',
    client: { kind: 'events', clients: 2, everyMs: 20 },
    serve: (_, response) => {
      response.write(event(1));
      setTimeout(() => response.write(event(3)), 20);
    },
    flaw: cut(/event 3 of/),
  },
  {
    that: 'closes WebSockets with a close frame',
    client: { kind: 'websockets', clients: 2, everyMs: 20 },
    upgrade: (request, socket) => {
      openSocket(request, socket);
      setTimeout(() => socket.end(Buffer.from([0x88, 2, 0x03, 0xe9])), 50);
    },
    flaw: none,
  },
  {
    that: 'cuts WebSockets',
    client: { kind: 'websockets', clients: 2, everyMs: 20 },
    upgrade: (request, socket) => {
      openSocket(request, socket);
      setTimeout(() => socket.end(), 50);
    },
    flaw: cut(/without a close frame/),
  },
  {
    that: 'gives a WebSocket the echo of another',
    client: { kind: 'websockets', clients: 2, everyMs: 20 },
    upgrade: (request, socket) => {
      openSocket(request, socket);
      socket.once('data', () => socket.write(frame(JSON.stringify({ pid, text: 'of-another' }))));
    },
    flaw: cut(/which was not asked/),
  },
  {
    that: 'tells HTTP/2 sessions to go away',
    client: { kind: 'http2', sessions: 2, streams: 3, thinkMs: 10 },
    serveStream: (path, response) => {
      answerStream(path, response);
      const { session } = response.stream;
      if (Math.random() < 0.1 && session && !session.closed) session.close();
    },
    flaw: (report) =>
      none(report) ?? (report.clients['http2']!.connections < 4 ? 'no session ended' : undefined),
  },
  {
    that: 'breaks HTTP/2 sessions',
    client: { kind: 'http2', sessions: 2, streams: 3, thinkMs: 10 },
    serveStream: (_, response) => response.stream.session?.destroy(),
    flaw: only('reset'),
  },
  {
    that: 'ends HTTP/2 streams midway',
    client: { kind: 'http2', sessions: 1, streams: 1, thinkMs: 10 },
    serveStream: (_, response) => {
      response.write('{');
      setTimeout(() => response.stream.close(2), 10);
    },
    flaw: only('truncated'),
  },
];

function answerStream({ pathname, searchParams }: URL, response: Http2ServerResponse): void {
  if (pathname === '/download') response.end(download(Number(searchParams.get('bytes'))));
  else response.end(JSON.stringify({ pid, id: searchParams.get('id') }));
}

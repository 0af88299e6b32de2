import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { judgeById, judgeDownload, type Judge } from '../answer.js';
import { runUsers, type ClientContext, type RunClient } from '../client.js';
import type { Http2Description } from '../description.js';
import { monotonicMs } from '../monotonic.js';
import type { Exchange } from '../recorder.js';
import { judgeWhole } from '../request.js';

/** One of so many requests is a download, which lasts long enough to be met by the end of a process. */
const DOWNLOAD_EVERY = 5;
const DOWNLOAD_BYTES = 32 * 1024;
const DOWNLOAD_MS = 100;

export const runHttp2: RunClient<Http2Description> = async (description, context) => {
  const { sessions, streams, thinkMs } = description;
  const runSession = async (): Promise<void> => {
    const sessionOfNow = new Sessions(context);
    await runUsers(context, { clients: streams, thinkMs }, () => ({ ask: () => sessionOfNow.ask() }));
    sessionOfNow.close();
  };
  await Promise.all(Array.from({ length: sessions }, runSession));
};

interface Session {
  readonly http2: ClientHttp2Session;
  connectedAt: number | null;
  localPort: number | null;
  /** Who has answered. */
  pid: number | null;
  error: Error | undefined;
  isClosed: boolean;
  /** It was told to go away. */
  isLeaving: boolean;
}

/** One session after the other: one that was told to go away gets no new requests, and finishes those it has. */
class Sessions {
  readonly #context: ClientContext;
  #current: Session | undefined;
  #asked = 0;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  async ask(): Promise<boolean> {
    const { recorder, timeoutMs } = this.#context;
    const failedBefore = recorder.counters.failed;
    const exchange = recorder.begin();
    const [path, judge] = this.#compose(exchange);
    const timer = setTimeout(() => exchange.fail('hung', `no answer after ${timeoutMs} ms`), timeoutMs);
    while (!exchange.isSettled && (await this.#askOnce(path, exchange, judge)) === 'unprocessed') {
      recorder.askAgain();
    }
    clearTimeout(timer);
    return recorder.counters.failed === failedBefore;
  }

  #askOnce(path: string, exchange: Exchange, judge: Judge): Promise<'settled' | 'unprocessed'> {
    const session = this.#usable() ?? this.#open();
    exchange.isReused = session.pid !== null;
    exchange.pid = session.pid;
    const stream = session.http2.request({ ':path': path });
    exchange.onSettled = () => {
      Object.assign(exchange, { connectedAt: session.connectedAt, localPort: session.localPort });
      // It hangs. What has ended must not be reset: a server ends the session of a client that resets too many.
      if (!stream.closed && !stream.readableEnded) stream.close();
    };
    read(stream, exchange, judge);
    return new Promise((resolve) => {
      const settle = (): void => {
        if (session.error) exchange.failBy(session.error);
        else exchange.failByEnd(`the stream has ended with code ${stream.rstCode}`);
        resolve('settled');
      };
      stream.on('close', () => {
        session.pid = exchange.pid;
        const isRefused = session.isLeaving && stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
        if (isRefused && !exchange.hasResponseByte) return resolve('unprocessed');
        // A session that breaks ends its streams before it says why.
        const knowsWhy = exchange.isSettled || !session.http2.destroyed || session.isClosed;
        if (knowsWhy) settle();
        else session.http2.once('close', settle);
      });
    });
  }

  close(): void {
    this.#current?.http2.close();
  }

  #compose({ id }: Exchange): [path: string, judge: Judge] {
    if (++this.#asked % DOWNLOAD_EVERY !== 0) return [`/pid?id=${id}`, judgeById(id)];
    return [`/download?id=${id}&bytes=${DOWNLOAD_BYTES}&ms=${DOWNLOAD_MS}`, judgeDownload(DOWNLOAD_BYTES)];
  }

  #usable(): Session | undefined {
    const { closed = true, destroyed = true } = this.#current?.http2 ?? {};
    return closed || destroyed ? undefined : this.#current;
  }

  #open(): Session {
    // The certificate is the proof's own, made a moment ago.
    const http2 = connect(`https://127.0.0.1:${this.#context.port}`, { rejectUnauthorized: false });
    const session: Session = {
      http2,
      connectedAt: null,
      localPort: null,
      pid: null,
      error: undefined,
      isClosed: false,
      isLeaving: false,
    };
    const forget = (): void => {
      if (this.#current === session) this.#current = undefined;
    };
    http2.on('connect', () => {
      session.connectedAt = monotonicMs();
      session.localPort = http2.socket.localPort ?? null;
      this.#context.recorder.connected();
    });
    http2.on('goaway', () => {
      session.isLeaving = true;
      forget();
    });
    http2.on('close', () => {
      session.isClosed = true;
      forget();
    });
    http2.on('error', (error) => {
      session.error = error;
      forget();
    });
    return (this.#current = session);
  }
}

function read(stream: ClientHttp2Stream, exchange: Exchange, judge: Judge): void {
  const chunks: Buffer[] = [];
  let status = 0;
  stream.on('response', (headers) => {
    exchange.hasResponseByte = true;
    status = headers[':status'] ?? 0;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', () => undefined); // 'close' follows, and knows what became of the session
  stream.on('end', () => {
    if (status === 0 || stream.rstCode !== 0) return; // 'close' tells
    judgeWhole(status, Buffer.concat(chunks), exchange, judge);
  });
}

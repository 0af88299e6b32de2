/** One request over HTTP/1.1 with node:http, from its beginning to its judgement. Nothing is retried. */
import { request, type Agent, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { WrongAnswer, type Judge } from './answer.js';
import { monotonicMs } from './monotonic.js';
import type { Exchange, Recorder } from './recorder.js';

export interface Question {
  readonly port: number;
  /** false: a connection of its own. */
  readonly agent: Agent | false;
  readonly path: string;
  /** Makes it a POST. */
  readonly body?: Buffer;
  readonly timeoutMs: number;
  readonly judge: Judge;
}

/** Resolves when it is settled, however. */
export function ask(recorder: Recorder, exchange: Exchange, question: Question): Promise<void> {
  return new Promise((resolve) => {
    const { timeoutMs, judge, body } = question;
    const asking = request(toOptions(question));
    const timer = setTimeout(() => {
      exchange.fail('hung', `no answer after ${timeoutMs} ms`);
      asking.destroy();
    }, timeoutMs);
    asking.on('socket', (socket) => observe(socket, asking.reusedSocket, exchange, recorder));
    asking.on('response', (response) => {
      exchange.hasResponseByte = true;
      readWhole(response, exchange, judge);
    });
    asking.on('error', (error) => exchange.failBy(error));
    asking.on('close', () => {
      clearTimeout(timer);
      exchange.failByEnd(); // has no effect where it is settled, as it always should be
      resolve();
    });
    asking.end(body);
  });
}

const HOST = '127.0.0.1';

export function toOptions({ port, agent, path, body }: Question): RequestOptions {
  if (!body) return { host: HOST, port, agent, path };
  const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': body.length };
  return { host: HOST, port, agent, path, method: 'POST', headers };
}

/** When it was made, and who has answered on it. */
interface Past {
  readonly connectedAt: number;
  pid: number | null;
}
const pasts = new WeakMap<Socket, Past>();

/** What is known of the connection on which a request goes out. */
export function observe(socket: Socket, isReused: boolean, exchange: Exchange, recorder: Recorder): void {
  exchange.isReused = isReused;
  const bytesBefore = isReused ? socket.bytesRead : 0;
  const note = (): void => {
    const past = pasts.get(socket) ?? { connectedAt: monotonicMs(), pid: null };
    if (!pasts.has(socket)) {
      pasts.set(socket, past);
      recorder.connected();
    }
    exchange.connectedAt = past.connectedAt;
    exchange.pid = past.pid;
    exchange.localPort = socket.localPort ?? null;
  };
  if (socket.connecting) socket.once('connect', note);
  else note();
  // Before node:http's own listener, which reports the end: half a header is an answer that has begun, too.
  const look = (): void => {
    if (socket.bytesRead > bytesBefore) exchange.hasResponseByte = true;
  };
  for (const event of ['end', 'error', 'close']) socket.prependOnceListener(event, look);
  const forget = (): void => {
    for (const event of ['end', 'error', 'close']) socket.off(event, look);
    socket.off('connect', note);
    const past = pasts.get(socket);
    if (past) past.pid = exchange.pid;
  };
  exchange.onSettled = forget;
}

function readWhole(response: IncomingMessage, exchange: Exchange, judge: Judge): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('error', (error) => exchange.failBy(error));
  response.on('end', () => {
    if (!response.complete) return exchange.fail('truncated', 'the response is not complete');
    judgeWhole(response.statusCode!, Buffer.concat(chunks), exchange, judge);
  });
}

export function judgeWhole(status: number, body: Buffer, exchange: Exchange, judge: Judge): void {
  if (status !== 200) return exchange.fail('wrong_status', String(status));
  try {
    exchange.succeed(judge(body));
  } catch (error) {
    if (!(error instanceof WrongAnswer)) throw error;
    exchange.fail('wrong_body', error.message);
  }
}

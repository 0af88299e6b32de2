/** Clients of a service: one at a time, or a small steady load. */
import { once } from 'node:events';
import { Agent, get, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/** Of a client that hears nothing. */
const PATIENCE_MS = 30_000;

export interface VisitOptions {
  /** @default '/' */
  readonly path?: string;
  /** @default '127.0.0.1' */
  readonly host?: string;
}

/** A connection that is open, with a request in it. */
export interface Visit {
  /** The body. */
  readonly answer: Promise<string>;
}

/** Resolves as soon as the connection is open, whoever will accept it; rejects where it is refused. */
export async function knock(
  port: number,
  { path = '/', host = '127.0.0.1' }: VisitOptions = {},
): Promise<Visit> {
  const request = get({ port, host, path, agent: false, timeout: PATIENCE_MS });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  const answer = bodyOf(request);
  answer.catch(() => undefined); // who cares awaits it
  const [socket] = (await once(request, 'socket')) as [Socket];
  await once(socket, 'connect');
  return { answer };
}

/** Answers the body. */
export async function visit(port: number, options?: VisitOptions): Promise<string> {
  return (await knock(port, options)).answer;
}

/** Whether connections are refused at this moment. */
export async function isRefused(port: number, host = '127.0.0.1'): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // ECONNRESET: it was closed while this connection was being made; the next one is refused.
    if (code !== 'ECONNREFUSED' && code !== 'ECONNRESET') throw error;
    return code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

/** Whether anybody accepts connections there; whatever else is wrong with it counts as no. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1');
    const end = (isOpen: boolean) => (): void => {
      socket.destroy();
      answer(isOpen);
    };
    socket.on('connect', end(true)).on('error', end(false));
  });
}

const PAUSE_MS = 5;

/** Two clients, one with a connection for each request and one that keeps its own, until it is ended. */
export class Load implements AsyncDisposable {
  /** How many requests were answered, by what the answer began with. */
  readonly answers = new Map<string, number>();
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #clients: Promise<void>[];
  #isOver = false;

  constructor(port: number) {
    this.#port = port;
    this.#clients = [this.#visit(false), this.#visit(this.#agent)];
  }

  get count(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when the last answer is there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #visit(agent: Agent | false): Promise<void> {
    while (!this.#isOver) {
      const request = get({ port: this.#port, host: '127.0.0.1', agent, timeout: PATIENCE_MS });
      request.on('timeout', () => request.destroy(new Error('no answer')));
      await bodyOf(request).then(
        (body) => this.answers.set(body, (this.answers.get(body) ?? 0) + 1),
        (error: Error) => this.failures.push(`${agent ? 'kept' : 'new'} connection: ${error.message}`),
      );
      await delay(PAUSE_MS);
    }
  }
}

async function bodyOf(request: ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return text(response);
}

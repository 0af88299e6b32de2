/** Small HTTP clients: one request of its own connection, and bytes as they are. */
import http, { type RequestOptions } from 'node:http';
import net, { type Socket } from 'node:net';
import { until } from './until.js';

/** Of a client that hears nothing. */
const PATIENCE_MS = 30_000;

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export function ask(port: number, path = '/', options: RequestOptions = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const all = { host: '127.0.0.1', port, path, agent: false, timeout: PATIENCE_MS, ...options };
    const request = http.get(all, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      response.on('aborted', () => reject(new Error('truncated')));
    });
    request.on('timeout', () => request.destroy(new Error(`${path} was not answered`)));
    request.on('error', reject);
  });
}

/** A client that says exactly what it is told and keeps what it hears. */
export class Wire {
  readonly socket: Socket;
  heard = '';
  isEnded = false;
  error: Error | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => (this.heard += text));
    socket.on('end', () => (this.isEnded = true)).on('error', (error) => (this.error = error));
  }

  static to(port: number): Wire {
    return new Wire(net.connect({ port, host: '127.0.0.1' }));
  }

  say(text: string): this {
    this.socket.write(text);
    return this;
  }

  async hears(text: string): Promise<void> {
    await until(`"${text}" was heard; heard was: ${this.heard}`, () => this.heard.includes(text));
  }

  async ends(): Promise<void> {
    await until('the connection ended', () => this.isEnded || this.error !== null);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** GET /metrics over TCP, for who cannot open a unix socket. Nothing else, and only where it was asked for. */
import { createServer, type Server } from 'node:http';

export class MetricsServer {
  readonly #server: Server;

  /** Throws where the text is to fail. */
  constructor(type: string, text: () => string) {
    this.#server = createServer((request, response) => {
      if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics')
        return void response.writeHead(404).end();
      response.writeHead(200, { 'content-type': type }).end(text());
    });
  }

  /** Rejects where it cannot listen there. */
  listen({ host, port }: { host: string; port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve);
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** `9464`, or `0.0.0.0:9464`; undefined: neither. */
export function parseAddress(text: string): { host: string; port: number } | undefined {
  const [, host = '127.0.0.1', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text.trim()) ?? [];
  const port = Number(digits);
  return port > 0 && port < 65_536 ? { host: host.replace(/^\[|\]$/g, ''), port } : undefined;
}

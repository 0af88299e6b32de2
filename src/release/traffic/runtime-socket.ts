/**
 * Asks one HAProxy through its runtime socket: a command, an answer, and the connection is over. While it is reloaded nobody
 * may be listening for a moment, so a refused connection is tried again for a while.
 */
import { connect } from 'node:net';
import type { Clock } from '../../system/index.js';
import { waitUntil } from '../wait.js';

const ANSWER_MS = 3000;
const RELOAD_MS = 3000;
const AGAIN_MS = 50;
/** Nobody listens, or who listened has just gone. */
const RELOADING: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE']);

export class RuntimeSocket {
  /** As it is configured. */
  readonly name: string;
  readonly #clock: Clock;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  /** The answer without the lines that end it. */
  async ask(command: string, signal: AbortSignal): Promise<string> {
    const deadline = this.#clock.now() + RELOAD_MS;
    for (;;) {
      signal.throwIfAborted();
      try {
        return (await this.#askOnce(command)).trim();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (!RELOADING.has(code) || this.#clock.now() > deadline) throw error;
        await waitUntil(this.#clock, this.#clock.now() + AGAIN_MS, signal);
      }
    }
  }

  #askOnce(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(addressOf(this.name));
      const parts: Buffer[] = [];
      socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_MS / 1000} s`)));
      socket.on('connect', () => socket.write(`${command}\n`));
      socket.on('data', (part: Buffer) => parts.push(part));
      socket.on('error', reject);
      // It answers at least an empty line: without one it went away before it had read the question.
      socket.on('end', () => {
        if (parts.length > 0) resolve(Buffer.concat(parts).toString());
        else reject(Object.assign(new Error('it closed without an answer'), { code: 'ECONNRESET' }));
        socket.destroy();
      });
    });
  }
}

/** `/run/haproxy.sock`, `10.0.0.2:9999`, `[::1]:9999`. */
function addressOf(
  name: string,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[^\]]+\]|[^/:]+):(\d+)$/.exec(name) ?? [];
  if (host === undefined) return { path: name };
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

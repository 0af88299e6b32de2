/**
 * An open connection to the control socket of a process (src/preload/control.ts), asked again and again what it counts: a new one each
 * time would cost ten times as much.
 */
import type { Socket } from 'node:net';
import type { ControlAnswer, ControlRequest, ProcessMetrics } from '../protocol/index.js';
import { connectUnix } from '../system/index.js';

const REQUEST = `${JSON.stringify({ do: 'metrics' } satisfies ControlRequest)}\n`;

export class MetricsLine {
  readonly #socket: Socket;
  #rest = '';
  /** It has been asked, and has not answered. */
  #isAsked = false;
  #isOver = false;
  #resolve: ((metrics: ProcessMetrics | undefined) => void) | undefined;

  /** `path`: of the control socket. */
  constructor(path: string) {
    this.#socket = connectUnix(path);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', () => undefined); // the process has ended; 'close' follows
    this.#socket.on('close', () => this.end());
  }

  /** Nobody is there any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** undefined: no answer in time. One that comes later is that to the next question. */
  ask(limitMs: number): Promise<ProcessMetrics | undefined> {
    this.#settle(undefined);
    if (this.#isOver) return Promise.resolve(undefined);
    if (!this.#isAsked) this.#socket.write(REQUEST);
    this.#isAsked = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(undefined), limitMs);
      this.#resolve = (metrics) => {
        clearTimeout(timer);
        resolve(metrics);
      };
    });
  }

  end(): void {
    this.#isOver = true;
    this.#socket.destroy();
    this.#settle(undefined);
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop()!;
    const last = lines.at(-1);
    if (last === undefined) return;
    this.#isAsked = false;
    this.#settle(parse(last));
  }

  #settle(metrics: ProcessMetrics | undefined): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(metrics);
  }
}

function parse(line: string): ProcessMetrics | undefined {
  try {
    const answer = JSON.parse(line) as ControlAnswer;
    return 'metrics' in answer ? answer.metrics : undefined;
  } catch {
    return undefined; // not from our preload
  }
}

/**
 * An open connection to the control socket of a process (src/preload/control.ts), over which it says every ten seconds what it counts.
 * Asking it each time would cost the daemon ten times as much: another process has to be woken for that.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ControlAnswer, MetricsRequest, ProcessMetrics } from '../protocol/index.js';
import { connectUnix } from '../system/index.js';

/** The pace of the samples in src/metrics/samples.ts. */
const EVERY_MS = 10_000;
/** One that hangs says nothing. */
const FIRST_MS = 2000;
/** It says it up to a third of the pace before it is looked at. */
const STALE_MS = EVERY_MS * 1.4;

const FIRST = { do: 'metrics', everyMs: EVERY_MS } satisfies MetricsRequest;
const AGAIN = { do: 'metrics' } satisfies MetricsRequest;

/** What a process has counted, and what it had when that was read before: the first time there is nothing between them. */
export interface Counters {
  readonly now: ProcessMetrics;
  readonly before: ProcessMetrics;
}

export class MetricsLine {
  readonly #socket: Socket;
  readonly #first: Promise<void>;
  #resolveFirst: () => void = () => undefined;
  #rest = '';
  #latest: ProcessMetrics | undefined;
  #read: ProcessMetrics | undefined;
  /** When it said something, or was asked. */
  #heardAt = performance.now();
  #isOver = false;

  /** `path`: of the control socket. */
  constructor(path: string) {
    this.#socket = connectUnix(path);
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
    this.#socket.on('error', () => undefined); // the process has ended; 'close' follows
    this.#socket.on('close', () => this.end());
    this.#first = new Promise((resolve) => {
      const timer = setTimeout(resolve, FIRST_MS);
      this.#resolveFirst = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#ask(FIRST);
  }

  /** Nobody is there any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** undefined: it has not said anything yet, or lately. */
  async read(): Promise<Counters | undefined> {
    await this.#first;
    // It hangs, or has a preload of an older version, which answers once.
    if (performance.now() - this.#heardAt > STALE_MS) {
      this.#latest = undefined;
      if (!this.#isOver) this.#ask(AGAIN);
    }
    const now = this.#latest;
    if (!now) return undefined;
    const before = this.#read ?? now;
    this.#read = now;
    return { now, before };
  }

  end(): void {
    this.#isOver = true;
    this.#socket.destroy();
    this.#resolveFirst();
  }

  #ask(request: MetricsRequest): void {
    this.#heardAt = performance.now();
    this.#socket.write(`${JSON.stringify(request)}\n`);
  }

  #take(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop()!;
    const last = lines.at(-1);
    if (last === undefined) return;
    this.#heardAt = performance.now();
    this.#latest = parse(last);
    this.#resolveFirst();
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

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
/** It says it up to a third of the pace before it is looked at: who has not done so answers once for each question. */
const OVERDUE_MS = EVERY_MS * 0.6;
const STALE_MS = EVERY_MS * 1.4;
/** Of one line; ours have some 2 KB. */
const MAX_LINE = 64 * 1024;
/** What has come is taken before anything else can come: all lines share it, and none allocates 64 KB for each chunk. */
const CHUNK = Buffer.allocUnsafe(16 * 1024);
/** Of a list in it. */
const MOST = 64;

const FIRST = { do: 'metrics', everyMs: EVERY_MS } satisfies MetricsRequest;
const AGAIN = { do: 'metrics' } satisfies MetricsRequest;

/** What a process has counted, and what it had when that was read before: the first time there is nothing between them. */
export interface Counters {
  readonly now: ProcessMetrics;
  readonly before: ProcessMetrics;
}

export class MetricsLine {
  readonly #socket: Socket;
  readonly #now: () => number;
  readonly #first: Promise<void>;
  #resolveFirst: () => void = () => undefined;
  /** What has come of a line, byte for byte. */
  #rest = '';
  #latest: ProcessMetrics | undefined;
  #read: ProcessMetrics | undefined;
  /** When it said something; at first, when it was asked. */
  #heardAt: number;
  /** It has not answered yet. */
  #isAsked = false;
  #isOver = false;

  /** `path`: of the control socket; `now`: monotonic, milliseconds. */
  constructor(path: string, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#heardAt = now();
    const callback = (length: number): boolean => this.#take(CHUNK.toString('latin1', 0, length));
    this.#socket = connectUnix(path, { buffer: CHUNK, callback });
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
    const silentMs = this.#now() - this.#heardAt;
    if (silentMs > STALE_MS) this.#latest = undefined;
    // It hangs, or has a preload of an older version, which answers once.
    if (silentMs > OVERDUE_MS && !this.#isAsked && !this.#isOver) this.#ask(AGAIN);
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
    this.#isAsked = true;
    this.#socket.write(`${JSON.stringify(request)}\n`);
  }

  /** Answers that more may come. */
  #take(chunk: string): true {
    const text = this.#rest + chunk;
    const end = text.lastIndexOf('\n');
    this.#rest = text.slice(end + 1);
    if (this.#rest.length > MAX_LINE) this.end(); // not from our preload
    if (end < 0 || this.#isOver) return true;
    this.#heardAt = this.#now();
    this.#isAsked = false;
    const last = text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
    this.#latest = parse(Buffer.from(last, 'latin1').toString());
    this.#resolveFirst();
    return true;
  }
}

/** An application might say anything, and what it says is added to what others do. */
function parse(line: string): ProcessMetrics | undefined {
  try {
    return metricsIn(JSON.parse(line) as ControlAnswer);
  } catch {
    return undefined; // not from our preload
  }
}

export function metricsIn(answer: ControlAnswer): ProcessMetrics | undefined {
  return 'metrics' in answer && isWhole(answer.metrics) ? answer.metrics : undefined;
}

function isWhole({
  requests,
  errors,
  unanswered = 0,
  durationMs,
  latency,
  loop,
  heapBytes,
  slowest,
}: ProcessMetrics): boolean {
  const isList = (list: unknown): list is unknown[] => Array.isArray(list) && list.length <= MOST;
  const lists: readonly unknown[] = [latency, loop];
  if (!lists.every((list) => isList(list) && list.every(isCount))) return false;
  if (slowest !== undefined && !isList(slowest)) return false;
  return [requests, errors, unanswered, durationMs, heapBytes].every(isCount);
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

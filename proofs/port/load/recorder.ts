/** Writes down what becomes of each request of one client, exactly once. */
import type { ClientReport, Counters, Failure, FailureClass, StreamEnd } from './report.js';
import { monotonicMs } from './monotonic.js';

const KEPT_FAILURES = 20_000;
const LONGEST_MS = 60_000;

export class Recorder {
  readonly client: string;
  readonly failures: Failure[] = [];
  readonly streams: StreamEnd[] = [];
  readonly #counters: { -readonly [K in keyof Counters]: number } = {
    started: 0,
    succeeded: 0,
    failed: 0,
    leftOut: 0,
    askedAgain: 0,
    connections: 0,
    open: 0,
    cut: 0,
  };
  #lastFailure: string | undefined;
  readonly #classes: Partial<Record<FailureClass, number>> = {};
  readonly #pids: Record<string, number> = {};
  /** How many answers took so many milliseconds. */
  readonly #durations = new Uint32Array(LONGEST_MS + 1);

  #lastId = 0;

  constructor(client: string) {
    this.client = client;
  }

  get counters(): Counters {
    return this.#counters;
  }

  /** For whoever waits in vain. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  leaveOut(): void {
    this.#counters.leftOut++;
  }

  askAgain(): void {
    this.#counters.askedAgain++;
  }

  connected(): void {
    this.#counters.connections++;
  }

  begin(): Exchange {
    this.#counters.started++;
    return new Exchange(this, `${this.client.replaceAll(' ', '-')}-${++this.#lastId}`);
  }

  /** A stream is open; answers how to write down its end. */
  openStream(): (end: Omit<StreamEnd, 'client' | 'endedAt'>) => void {
    this.#counters.open++;
    let isOpen = true;
    return (end) => {
      if (!isOpen) return;
      isOpen = false;
      this.#counters.open--;
      if (end.by === 'server' && !end.isClean) this.#counters.cut++;
      this.streams.push({ client: this.client, ...end, endedAt: monotonicMs() });
    };
  }

  report(): ClientReport {
    return {
      ...this.#counters,
      failures: this.#classes,
      pids: this.#pids,
      medianMs: this.#quantile(0.5),
      slowMs: this.#quantile(0.99),
      slowestMs: this.#quantile(1),
    };
  }

  noteSuccess(durationMs: number, pid: number | null): void {
    this.#counters.succeeded++;
    this.#durations[Math.min(LONGEST_MS, Math.round(durationMs))]!++;
    if (pid !== null) this.#pids[pid] = (this.#pids[pid] ?? 0) + 1;
  }

  noteWithdrawal(): void {
    this.#counters.started--;
  }

  noteFailure(failure: Failure): void {
    this.#counters.failed++;
    this.#lastFailure = `${failure.class}: ${failure.detail}`;
    this.#classes[failure.class] = (this.#classes[failure.class] ?? 0) + 1;
    if (this.failures.length < KEPT_FAILURES) this.failures.push(failure);
  }

  #quantile(share: number): number {
    let left = Math.ceil(share * this.#counters.succeeded);
    return this.#durations.findIndex((count) => (left -= count) <= 0);
  }
}

/** One request and its answer. */
export class Exchange {
  readonly id: string;
  readonly startedAt = monotonicMs();
  connectedAt: number | null = null;
  localPort: number | null = null;
  isReused = false;
  hasResponseByte = false;
  pid: number | null = null;
  onSettled: (() => void) | undefined;
  readonly #recorder: Recorder;
  #isSettled = false;

  constructor(recorder: Recorder, id: string) {
    this.#recorder = recorder;
    this.id = id;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  succeed(pid: number | null = this.pid): void {
    if (this.#isSettled) return;
    this.pid = pid;
    this.#settle();
    this.#recorder.noteSuccess(monotonicMs() - this.startedAt, pid);
  }

  fail(failureClass: FailureClass, detail: string): void {
    if (!this.#settle()) return;
    const { id, startedAt, connectedAt, hasResponseByte, isReused, localPort, pid } = this;
    this.#recorder.noteFailure({
      client: this.#recorder.client,
      id,
      class: failureClass,
      detail,
      startedAt,
      connectedAt,
      endedAt: monotonicMs(),
      hasResponseByte,
      isReused,
      localPort,
      pid,
    });
  }

  /** What was sent over a stream that has ended since counts as never sent: the end of the stream tells of it. */
  withdraw(): void {
    if (this.#settle()) this.#recorder.noteWithdrawal();
  }

  /** For what the system or Node says of a connection. */
  failBy({ code, message }: NodeJS.ErrnoException): void {
    this.fail(
      this.#classify(code),
      code === undefined || message.includes(code) ? message : `${code}: ${message}`,
    );
  }

  /** The connection has ended, and nobody said why. */
  failByEnd(detail = 'the connection has ended'): void {
    this.fail(this.#classify(), detail);
  }

  #classify(code?: string): FailureClass {
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'refused';
    if (code === 'EADDRNOTAVAIL' || code === 'EMFILE') return 'own';
    if (this.hasResponseByte) return 'truncated';
    return this.isReused ? 'reused_reset' : 'reset';
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.onSettled?.();
    return true;
  }
}

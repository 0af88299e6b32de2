/** A load on a service, made by a process of its own, so that it does not share an event loop with the proof. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { until } from '../../../test/rig/index.js';
import type { LoadDescription } from './description.js';
import type { FromProcess, ToProcess } from './messages.js';
import { total, type LiveCounters, type LoadReport } from './report.js';

const PROGRAM = fileURLToPath(new URL('process.ts', import.meta.url));
const START_MS = 30_000;
/** Beside the longest time that a request may take. */
const STOP_MS = 15_000;

export class Load implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #timeoutMs: number;
  readonly #exited: Promise<unknown>;
  #isReady = false;
  #counters: LiveCounters = {};
  #lastFailure: string | undefined;
  #report: LoadReport | undefined;

  private constructor(process: ChildProcess, timeoutMs: number) {
    this.#process = process;
    this.#timeoutMs = timeoutMs;
    // What it said last is heard until the channel is closed, which may be later than its exit.
    this.#exited = Promise.all([once(process, 'exit'), once(process, 'disconnect')]);
    process.on('message', (message) => this.#take(message as FromProcess));
  }

  /** Resolves when the first requests are about to go out. */
  static async start(description: LoadDescription): Promise<Load> {
    const process = fork(PROGRAM, { execArgv: ['--import', 'tsx'] });
    const load = new Load(process, description.timeoutMs ?? 20_000);
    await until('the load is there', () => load.#isReady || load.#hasExited, START_MS);
    load.#tell({ kind: 'start', description });
    return load;
  }

  /** Of each client, at most a tenth of a second old. */
  get counters(): LiveCounters {
    return this.#counters;
  }

  /** Waits until so many more requests were answered, by default of all clients. */
  async untilAnswered(count: number, names?: readonly string[], deadlineMs?: number): Promise<void> {
    const target = total(this.#counters, names).succeeded + count;
    const isThere = (): boolean => total(this.#counters, names).succeeded >= target || this.#hasExited;
    await until(`${count} more requests are answered`, isThere, deadlineMs).catch((cause: Error) => {
      const { succeeded, failed } = total(this.#counters, names);
      const words = `${succeeded} were answered and ${failed} failed, lately by ${this.#lastFailure}`;
      throw new Error(`${cause.message}: ${words}`, { cause });
    });
    if (this.#hasExited) throw new Error('The load has ended by itself');
  }

  /** Waits until no more than so many requests are on their way. */
  async untilCalm(inFlight: number, deadlineMs?: number): Promise<void> {
    const isCalm = (): boolean => {
      const { started, succeeded, failed } = total(this.#counters);
      return (started > 0 && started - succeeded - failed <= inFlight) || this.#hasExited;
    };
    await until(`no more than ${inFlight} requests are on their way`, isCalm, deadlineMs);
    if (this.#hasExited) throw new Error('The load has ended by itself');
  }

  /** No new requests; those on their way are waited for. */
  async stop(): Promise<LoadReport> {
    this.#tell({ kind: 'stop' });
    const answer = (): LoadReport | undefined => this.#report;
    await until('the load reports', () => answer() ?? this.#hasExited, this.#timeoutMs + STOP_MS);
    await this.#exited; // its report may still be on its way
    if (!this.#report) throw new Error('The load has ended without a report');
    return this.#report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasExited) this.#process.kill('SIGKILL');
    await this.#exited;
  }

  get #hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  #take(message: FromProcess): void {
    if (message.kind === 'ready') this.#isReady = true;
    if (message.kind === 'counters') {
      this.#counters = message.counters;
      this.#lastFailure = message.lastFailure;
    }
    if (message.kind === 'report') {
      this.#report = message.report;
      this.#counters = message.report.clients;
    }
  }

  #tell(message: ToProcess): void {
    if (this.#process.connected) this.#process.send(message);
  }
}

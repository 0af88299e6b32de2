/** A client for each port: a request on a new connection every tenth of a second, and what became of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { until, visit } from '../../../test/rig/index.js';

const PAUSE_MS = 100;

export class SteadyLoad implements AsyncDisposable {
  readonly failures: string[] = [];
  answered = 0;
  readonly #clients: Promise<void>[];
  #isOver = false;

  constructor(ports: readonly number[]) {
    this.#clients = ports.map((port) => this.#ask(port));
  }

  /** So many more answers. */
  async until(more: number): Promise<void> {
    const wanted = this.answered + more;
    await until(`${more} more requests were answered`, () => this.answered >= wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #ask(port: number): Promise<void> {
    while (!this.#isOver) {
      await visit(port).then(
        () => this.answered++,
        (error: Error) => this.failures.push(`port ${port}: ${error.message}`),
      );
      await delay(PAUSE_MS);
    }
  }
}

/** What the daemon tells of the services in one long stream of events. */
import type { Client } from '../../../src/client/index.js';
import type { UpkeepEvent } from '../../../src/protocol/index.js';
import { deferred, type Deferred } from '../../../src/util/index.js';

interface Seen {
  readonly attempt: number;
  readonly pid: number;
}

export class News implements AsyncDisposable {
  /** Exits of services that should go on. */
  exits = 0;
  readonly #names: ReadonlySet<string>;
  readonly #running = new Map<string, Seen>();
  readonly #waiting = new Map<string, Deferred<Seen>>();
  readonly #over = new AbortController();
  readonly #reading: Promise<void>;

  constructor(client: Client, names: readonly string[]) {
    this.#names = new Set(names);
    this.#reading = this.#read(client);
  }

  /** The first instance of it runs, on an attempt after this one. */
  async running(service: string, after: number): Promise<Seen> {
    for (;;) {
      const seen = this.#running.get(service);
      if (seen && seen.attempt > after) return seen;
      const next = this.#waiting.get(service) ?? deferred<Seen>();
      this.#waiting.set(service, next);
      await next.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#reading;
  }

  async #read(client: Client): Promise<void> {
    const query = { follow: '1', limit: '1000' };
    for await (const event of client.stream('events', { query, signal: this.#over.signal }))
      this.#take(event);
  }

  #take(event: UpkeepEvent): void {
    if (event.type === 'instance-exited' && this.#names.has(event.service)) this.exits++;
    if (event.type !== 'instance-status' || event.to !== 'running' || event.instance !== 0) return;
    const { service, attempt, pid } = event;
    if (pid === null || attempt < (this.#running.get(service)?.attempt ?? 0)) return;
    const seen = { attempt, pid };
    this.#running.set(service, seen);
    this.#waiting.get(service)?.resolve(seen);
    this.#waiting.delete(service);
  }
}

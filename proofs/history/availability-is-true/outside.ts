/** A client that asks one service again and again, over a new connection each time, and adds up how long it was not served. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 20;
const TIMEOUT_MS = 1000;
/** Where another process answers: what takes longer has waited until it was there. */
const SLOW_MS = 25;
/** So many answers tell how long one usually takes. */
const USUAL_OF = 101;

export class Outside {
  readonly #port: number;
  #isOver = false;
  #goodAt: number | undefined;
  #badSince: number | undefined;
  #pid: string | undefined;
  #startedAt = 0;
  #endedAt = 0;
  readonly #tookMs: number[] = [];
  asked = 0;
  failed = 0;
  /** When it was not served, wall clock. */
  readonly outages: { readonly from: number; readonly to: number }[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  get isWell(): boolean {
    return this.#goodAt !== undefined && this.#badSince === undefined;
  }

  /** Who answered last. */
  get pid(): string | undefined {
    return this.#pid;
  }

  get availability(): number {
    const downMs = this.outages.reduce((sum, { from, to }) => sum + to - from, 0);
    return 1 - downMs / (this.#endedAt - this.#startedAt);
  }

  /** Wall clock. */
  get period(): { since: string; until: string } {
    const iso = (time: number): string => new Date(performance.timeOrigin + time).toISOString();
    return { since: iso(this.#startedAt), until: iso(this.#endedAt) };
  }

  async run(): Promise<void> {
    this.#startedAt = performance.now();
    while (!this.#isOver) {
      const askedAt = performance.now();
      this.asked++;
      const pid = await ask(this.#port, '/', TIMEOUT_MS);
      this.#note(askedAt, performance.now(), pid);
      await sleep(EVERY_MS);
    }
    this.#endedAt = performance.now();
    this.#noteOutage(this.#endedAt);
  }

  end(): void {
    this.#isOver = true;
  }

  #note(askedAt: number, at: number, pid: string | undefined): void {
    if (pid === undefined) this.failed++;
    // A slow answer of the same process is no outage: the machine has other things to do.
    const isPrompt = pid !== undefined && (pid === this.#pid || at - askedAt < SLOW_MS);
    // It went away between the last good answer and the request that was not served: halfway, on average.
    if (!isPrompt) this.#badSince ??= ((this.#goodAt ?? askedAt) + askedAt) / 2;
    if (pid === undefined) return;
    this.#pid = pid;
    // What waited until it was there has waited for so much longer than an answer takes, on this machine, at this time.
    this.#noteOutage(isPrompt ? askedAt : Math.max(askedAt, at - this.#usualMs));
    this.#goodAt = at;
    if (isPrompt) this.#tookMs.push(at - askedAt);
    if (this.#tookMs.length > USUAL_OF) this.#tookMs.shift();
  }

  get #usualMs(): number {
    return this.#tookMs.toSorted((a, b) => a - b)[this.#tookMs.length >> 1] ?? 0;
  }

  #noteOutage(to: number): void {
    if (this.#badSince !== undefined)
      this.outages.push({ from: performance.timeOrigin + this.#badSince, to: performance.timeOrigin + to });
    this.#badSince = undefined;
  }
}

/** Answers what came; undefined: nothing did. */
export function ask(port: number, path: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asking = request(
      { host: '127.0.0.1', port, path, agent: false, timeout: timeoutMs },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.once('end', () => resolve(text));
        response.once('error', () => resolve(undefined));
      },
    );
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(undefined));
    asking.end();
  });
}

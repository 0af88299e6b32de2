/** Clients that ask services all the time, and know which version of Node.js has to answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { until, visit } from '../../../test/rig/index.js';

const CLIENTS_OF_EACH = 2;
const PAUSE_MS = 10;

export interface Tally {
  /** Answers, by version. */
  readonly answers: Map<string, number>;
  readonly failures: string[];
  /** Answers of a version that should not have answered. */
  wrong: number;
}

export class VersionLoad implements AsyncDisposable {
  readonly #ports: ReadonlyMap<string, number>;
  readonly #expected = new Map<string, readonly string[]>();
  #tallies = new Map<string, Tally>();
  #asked = new Map<string, number>();
  readonly #clients: Promise<void>[];
  #isOver = false;

  constructor(ports: ReadonlyMap<string, number>, version: string) {
    this.#ports = ports;
    for (const service of ports.keys()) this.expect(service, version);
    this.#clients = [...ports].flatMap(([service, port]) =>
      Array.from({ length: CLIENTS_OF_EACH }, () => this.#ask(service, port)),
    );
  }

  /** For requests that begin from now on. */
  expect(service: string, ...versions: readonly string[]): void {
    this.#expected.set(service, versions);
  }

  /** So many more requests of each service have got what they get. */
  async untilAsked(more: number): Promise<void> {
    const goals = [...this.#ports.keys()].map((service) => [service, this.#askedOf(service) + more] as const);
    await until(
      `${more} more requests of each service were made`,
      () => goals.every(([service, goal]) => this.#askedOf(service) >= goal),
      300_000,
    );
  }

  /** What was counted since the last time, by service. */
  take(): ReadonlyMap<string, Tally> {
    const tallies = this.#tallies;
    this.#tallies = new Map();
    return tallies;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  #askedOf(service: string): number {
    return this.#asked.get(service) ?? 0;
  }

  async #ask(service: string, port: number): Promise<void> {
    while (!this.#isOver) {
      const expected = this.#expected.get(service)!;
      await visit(port).then(
        (body) => this.#note(service, (JSON.parse(body) as { version: string }).version, expected),
        (error: Error) => this.#tally(service).failures.push(error.message),
      );
      this.#asked.set(service, this.#askedOf(service) + 1);
      await delay(PAUSE_MS);
    }
  }

  #note(service: string, version: string, expected: readonly string[]): void {
    const tally = this.#tally(service);
    tally.answers.set(version, (tally.answers.get(version) ?? 0) + 1);
    if (!expected.includes(version)) tally.wrong++;
  }

  #tally(service: string): Tally {
    let tally = this.#tallies.get(service);
    if (!tally) this.#tallies.set(service, (tally = { answers: new Map(), failures: [], wrong: 0 }));
    return tally;
  }
}

/** `2000 by v10.24.1, 3 failed` */
export function wordTallies(tallies: ReadonlyMap<string, Tally>): string {
  const all = [...tallies.values()];
  const versions = new Map<string, number>();
  for (const [version, count] of all.flatMap(({ answers }) => [...answers]))
    versions.set(version, (versions.get(version) ?? 0) + count);
  const failed = all.reduce((sum, { failures }) => sum + failures.length, 0);
  return [...[...versions].map(([version, count]) => `${count} by ${version}`), `${failed} failed`].join(
    ', ',
  );
}

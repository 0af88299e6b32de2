/** So many requests a second from a process of its own, each on a connection of its own or on kept ones, and who answered them. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../../../test/rig/index.js';

export interface RateOptions {
  readonly port: number;
  readonly perSecond: number;
  /** Several are asked for in turn. @default '/' */
  readonly path?: string | readonly string[];
  /** Where an answer says who gave it. @default the header x-version */
  readonly version?: VersionPlace;
  /** Whether each answer is told, too: see `answers`. @default false */
  readonly isDetailed?: boolean;
}

/** In the body it is the first group of the expression; who answers without saying it is counted to nobody. */
export type VersionPlace = { readonly header: string } | { readonly body: string };

export interface RateReport {
  readonly asked: number;
  readonly answered: number;
  /** Not answered, or not with 2xx. */
  readonly failed: number;
  /** Of those, connections that were refused. */
  readonly refused: number;
  readonly byVersion: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

/** How one request ended. */
export interface Answer {
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** null: nobody answered. */
  readonly version: string | null;
  /** null: it was answered well. */
  readonly fault: string | null;
}

/** What the process says now and then. */
export interface RateNews {
  readonly report: RateReport;
  /** Since it last said something. */
  readonly answers: readonly Answer[];
}

export const NOTHING: RateReport = {
  asked: 0,
  answered: 0,
  failed: 0,
  refused: 0,
  byVersion: {},
  failures: [],
};

export class RateLoad implements AsyncDisposable {
  readonly #child: ChildProcess;
  #latest: RateReport = NOTHING;
  #mark: RateReport = NOTHING;
  #answers: Answer[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (news) => this.#take(news as RateNews));
  }

  static async start(options: RateOptions): Promise<RateLoad> {
    const child = fork(join(import.meta.dirname, 'rate-load-process.ts'), [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const load = new RateLoad(child);
    await once(child, 'message');
    return load;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get total(): RateReport {
    return this.#latest;
  }

  /** Since the mark, in the order in which they came; empty unless it is detailed. */
  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** From now on. */
  mark(): void {
    this.#mark = this.#latest;
    this.#answers = [];
  }

  sinceMark(): RateReport {
    return difference(this.#latest, this.#mark);
  }

  /** So many more than now. */
  async untilAnswered(count: number): Promise<void> {
    const target = this.#latest.answered + count;
    await until(`${count} more are answered`, () => this.#latest.answered >= target || undefined, 60_000);
  }

  /** No new ones; those on their way are waited for. */
  async stop(): Promise<RateReport> {
    const ended = Promise.all([once(this.#child, 'exit'), once(this.#child, 'disconnect')]);
    this.#child.send('stop');
    await ended;
    return this.#latest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  #take({ report, answers }: RateNews): void {
    this.#latest = report;
    this.#answers.push(...answers);
  }
}

/** What came between two looks. */
export function difference(now: RateReport, before: RateReport): RateReport {
  const less = (key: 'asked' | 'answered' | 'failed' | 'refused'): number => now[key] - before[key];
  const versions = Object.entries(now.byVersion).map(([version, count]) => [
    version,
    count - (before.byVersion[version] ?? 0),
  ]);
  return {
    asked: less('asked'),
    answered: less('answered'),
    failed: less('failed'),
    refused: less('refused'),
    byVersion: Object.fromEntries(versions.filter(([, count]) => count !== 0)) as Record<string, number>,
    failures: now.failures.slice(before.failures.length),
  };
}

/** So many requests a second from a process of its own, each on a connection of its own or on kept ones, and who answered them. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../../../test/rig/index.js';

export interface RateOptions {
  readonly port: number;
  readonly perSecond: number;
  /** @default '/' */
  readonly path?: string;
}

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

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (report) => (this.#latest = report as RateReport));
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

  get total(): RateReport {
    return this.#latest;
  }

  /** From now on. */
  mark(): void {
    this.#mark = this.#latest;
  }

  sinceMark(): RateReport {
    const [now, before] = [this.#latest, this.#mark];
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

  /** So many more than now. */
  async untilAnswered(count: number): Promise<void> {
    const target = this.#latest.answered + count;
    await until(`${count} more are answered`, () => this.#latest.answered >= target || undefined, 60_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** A Prometheus of our own: in a folder that goes with it, at a port of 127.0.0.1. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, until } from '../../../test/rig/index.js';

const PROMETHEUS = process.env['UPKEEP_PROOF_PROMETHEUS'] ?? 'prometheus';
const PROMTOOL = process.env['UPKEEP_PROOF_PROMTOOL'] ?? 'promtool';
const BOOT_MS = 60_000;

/** What `promtool check metrics` finds fault with; empty: nothing. */
export function complaintsAbout(text: string): string {
  const { error, status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error) throw missing(PROMTOOL, error);
  const words = `${stdout}${stderr}`.trim();
  return status === 0 ? words : words || `exit code ${String(status)}`;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Prometheus implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'upkeep-prometheus-'));
  readonly #port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, scraped: number) {
    this.#port = port;
    const target = { targets: [`127.0.0.1:${scraped}`] };
    const config = {
      global: { scrape_interval: '3s', scrape_timeout: '3s' },
      scrape_configs: [{ job_name: 'upkeep', static_configs: [target] }],
    };
    const path = join(this.#folder, 'prometheus.yml');
    writeFileSync(path, JSON.stringify(config)); // which is YAML, too
    const log = openSync(join(this.#folder, 'log'), 'w');
    this.#child = spawn(
      PROMETHEUS,
      [
        `--config.file=${path}`,
        `--storage.tsdb.path=${join(this.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: ['ignore', log, log] },
    );
  }

  static async start(scraped: number): Promise<Prometheus> {
    const prometheus = new Prometheus(await freePort(), scraped);
    const failed = once(prometheus.#child, 'error').then(([error]) => {
      throw missing(PROMETHEUS, error as Error);
    });
    const isReady = async (): Promise<boolean> => (await prometheus.query('up').catch(() => [])).length > 0;
    await Promise.race([failed, until('Prometheus has scraped', isReady, BOOT_MS)]).catch((error: Error) => {
      throw new Error(`${error.message}\n${readFileSync(join(prometheus.#folder, 'log'), 'utf8')}`);
    });
    return prometheus;
  }

  /** Of this moment. */
  async query(expression: string): Promise<Series[]> {
    const url = `http://127.0.0.1:${this.#port}/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = (await (await fetch(url)).json()) as {
      status: string;
      error?: string;
      data?: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error ?? answer.status}`);
    return answer.data!.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit');
    if (this.#child.exitCode === null && this.#child.kill('SIGKILL')) await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function missing(program: string, { message }: Error): Error {
  return new Error(
    `Cannot run "${program}": ${message}\n  hint: install Prometheus (Debian: apt install prometheus), or say where it is by UPKEEP_PROOF_PROMETHEUS and UPKEEP_PROOF_PROMTOOL`,
  );
}

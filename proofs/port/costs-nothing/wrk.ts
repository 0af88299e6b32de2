/** wrk (Debian: wrk), one thread and 64 connections. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Throughput {
  readonly perSecond: number;
  readonly p99Ms: number;
}

export async function wrk(port: number, seconds: number, isKeptAlive: boolean): Promise<Throughput> {
  const header = isKeptAlive ? [] : ['-H', 'Connection: close'];
  const args = ['-t1', '-c64', `-d${seconds}s`, '--latency', ...header, `http://127.0.0.1:${port}/`];
  const { stdout } = await run('wrk', args);
  const [, rate] = /Requests\/sec:\s+([\d.]+)/.exec(stdout)!;
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(stdout)!;
  return { perSecond: Number(rate), p99Ms: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us'] };
}

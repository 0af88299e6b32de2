/** What a process has cost so far, and bare processes to compare with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { visit } from '../../../test/rig/index.js';

export const APP = join(import.meta.dirname, 'app');

export class Bare implements AsyncDisposable {
  readonly #port: number;
  readonly #process: ChildProcess;

  constructor(script: string, port: number) {
    this.#port = port;
    const env = { ...process.env, PORT: String(port) };
    this.#process = spawn(process.execPath, [join(APP, script)], { env, stdio: 'ignore' });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  untilAnswered(): Promise<string> {
    return untilAnswered(this.#port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill();
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
  }
}

/** Asks until there is an answer: at once again where nobody listens. */
export async function untilAnswered(port: number): Promise<string> {
  for (;;) {
    const answer = await visit(port).catch(() => undefined);
    if (answer !== undefined) return answer;
    await sleep(1);
  }
}

/** User and system time, milliseconds, in ticks of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function privateKb(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce(
    (sum, [, kb]) => sum + Number(kb),
    0,
  );
}

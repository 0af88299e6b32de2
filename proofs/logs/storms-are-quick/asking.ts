/** How long commands take, one after the other and in turn, until they are stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from './peer.js';

const PAUSE_MS = 20;
export const BARE_NODE: Command = { argv: [process.execPath, '-e', '0'], env: process.env };

export class Asking {
  readonly times: number[][];
  #isOver = false;
  readonly #end: Promise<void>;

  constructor(commands: readonly Command[]) {
    this.times = commands.map(() => []);
    this.#end = this.#ask(commands);
  }

  /** What has begun is counted in. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#end;
  }

  async #ask(commands: readonly Command[]): Promise<void> {
    while (!this.#isOver)
      for (const [index, command] of commands.entries()) {
        if (this.#isOver) return;
        this.times[index]!.push(await time(command));
        await sleep(PAUSE_MS);
      }
  }
}

export async function time({ argv: [program, ...args], env }: Command): Promise<number> {
  const startedAt = performance.now();
  // A session of its own, as a person's shell is one.
  const child = spawn(program!, args, { env, stdio: 'ignore', detached: true });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}`);
  return performance.now() - startedAt;
}

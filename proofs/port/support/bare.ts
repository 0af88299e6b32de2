/** Runs a service without upkeep: the control of these proofs, and how their applications were tried first. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { isListening, until } from '../../../test/rig/index.js';

const START_MS = 60_000;

export interface BareService {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
}

export class Bare implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  output = '';

  private constructor({ command: [file, ...args], cwd, env }: BareService) {
    // A group of its own, so that whatever it starts ends with it.
    this.#process = spawn(file, args, { cwd, env: { ...process.env, ...env }, detached: true });
    this.#exited = once(this.#process, 'exit');
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream
        .setEncoding('utf8')
        .on('data', (text: string) => (this.output = (this.output + text).slice(-20_000)));
    }
  }

  /** Resolves when it listens. */
  static async start(service: BareService): Promise<Bare> {
    const bare = new Bare(service);
    const look = async (): Promise<boolean> => bare.hasExited || (await isListening(service.port));
    await until('it listens', look, START_MS);
    if (bare.hasExited) throw new Error(`It has ended:\n${bare.output}`);
    return bare;
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal);
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // nobody of the group lives
    }
    await this.#exited;
  }
}

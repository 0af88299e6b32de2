/** Runs a program to its end, or for as long as a test wants to listen to it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface Outcome {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export class Program {
  readonly process: ChildProcess;
  /** Resolves when it has ended and everything that it wrote was read. */
  readonly ended: Promise<Outcome>;
  stdout = '';
  stderr = '';

  constructor(command: string, args: readonly string[], options: ProgramOptions) {
    this.process = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = this.#end();
  }

  /** Whole lines so far. */
  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  async #end(): Promise<Outcome> {
    const [code, signal] = (await once(this.process, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal, stdout: this.stdout, stderr: this.stderr };
  }
}

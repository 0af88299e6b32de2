/** A process that answers with its name on a port, until it is killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { app } from './paths.js';

export class NamedServer implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;

  private constructor(name: string, port: number) {
    this.name = name;
    const { PATH } = process.env;
    this.#process = spawn(process.execPath, [app('answers-its-name.cjs')], {
      env: { PATH, NAME: name, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** Resolves when it listens. */
  static async start(name: string, port: number): Promise<NamedServer> {
    const server = new NamedServer(name, port);
    await once(server.#process.stdout!, 'data');
    return server;
  }

  /** Now /late is. */
  answerLate(): void {
    this.#process.kill('SIGUSR2');
  }

  /** By SIGKILL: whoever is still connected notices. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}

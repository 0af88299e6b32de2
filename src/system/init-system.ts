/** The init system that started this process and waits to hear from it, see sd_notify(3). */
import { execFile, spawn } from 'node:child_process';
import { shimPath } from './shim.js';

/** It may be gone as well, with the machine going down. */
const ANSWER_MS = 2000;

export class InitSystem {
  readonly #socket: string;
  readonly #scope: readonly string[];

  private constructor(socket: string, isUserManager: boolean) {
    this.#socket = socket;
    this.#scope = isUserManager ? ['--user'] : [];
  }

  /** Takes the variables away: what this process starts is not what the init system waits for. */
  static claim(env: NodeJS.ProcessEnv): InitSystem | undefined {
    const { NOTIFY_SOCKET: socket, MANAGERPID: manager } = env;
    for (const key of ['NOTIFY_SOCKET', 'MANAGERPID', 'INVOCATION_ID', 'JOURNAL_STREAM']) delete env[key];
    return socket ? new InitSystem(socket, manager !== undefined) : undefined;
  }

  /** Lines such as `READY=1`; calls with what went wrong. */
  notify(lines: readonly string[], onError: (error: Error) => void): void {
    const child = spawn(shimPath(), ['notify', ...lines], {
      env: { NOTIFY_SOCKET: this.#socket },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    child.once('error', onError);
    child.once('exit', (code) => {
      if (code !== 0)
        onError(new Error(`the init system was not told ${lines.join(' ')}: exit code ${code}`));
    });
  }

  /** Whether it is not this process alone that is to end. */
  isShuttingDown(): Promise<boolean> {
    return new Promise((answer) => {
      const args = [...this.#scope, 'is-system-running'];
      // Its exit code is that of a failure in every state but one.
      execFile('systemctl', args, { timeout: ANSWER_MS }, (_, stdout) =>
        answer(stdout.trim() === 'stopping'),
      );
    });
  }
}

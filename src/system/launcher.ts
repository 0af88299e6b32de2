/**
 * Starts shims through a small process of its own (native/launcher.c), because a fork of the daemon costs milliseconds
 * of its only thread and a fork of the launcher costs microseconds of another core.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { shimPath } from './shim.js';

export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Numeric; undefined: the daemon's own user. */
  readonly user?:
    { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | undefined;
  /** Comes back in the first report of the shim, for a later daemon; without blanks. */
  readonly note: string;
}

export class Launcher {
  readonly #eventsPath: string;
  readonly #onLost: () => void;
  #process: ChildProcess | undefined;
  #isClosed = false;

  /** `onLost`: it was killed; what was asked of it in this moment may not have been done. */
  constructor(eventsPath: string, onLost: () => void) {
    this.#eventsPath = eventsPath;
    this.#onLost = onLost;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  launch(runDir: string, { argv, cwd, env, user, note }: Launch): void {
    const options = [`cwd=${cwd}`, `note=${note}`];
    if (user) options.push(`user=${[user.uid, user.gid, ...user.groups].join(':')}`);
    const run = [runDir, this.#eventsPath, ...options, '--', ...argv];
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const strings = Buffer.from(
      [String(run.length), ...run, ...variables].map((text) => `${text}\0`).join(''),
    );
    const size = Buffer.alloc(4);
    size.writeUInt32LE(strings.length);
    this.#write(Buffer.concat([size, strings]));
  }

  /** Its shims stay. */
  close(): void {
    this.#isClosed = true;
    this.#process?.stdin?.end();
  }

  /** Requests of one turn of the event loop go out together. */
  #write(request: Buffer): void {
    const { stdin } = this.#running();
    if (stdin!.writableCorked === 0) {
      stdin!.cork();
      setImmediate(() => stdin!.uncork());
    }
    stdin!.write(request);
  }

  #running(): ChildProcess {
    if (this.#process) return this.#process;
    const child = spawn(shimPath(), ['serve', this.#eventsPath], {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    this.#process = child;
    const onGone = (): void => {
      if (this.#process !== child) return;
      this.#process = undefined;
      if (!this.#isClosed) this.#onLost();
    };
    child.once('exit', onGone);
    child.once('error', onGone);
    child.stdin.on('error', () => undefined); // EPIPE: 'exit' follows
    child.unref();
    (child.stdin as unknown as { unref(): void }).unref();
    return child;
  }
}

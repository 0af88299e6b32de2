/**
 * A small process of its own (native/launcher.c) that starts shims, because a fork of the daemon costs milliseconds of
 * its only thread and a fork of the launcher costs microseconds of another core; and that holds the sockets of services
 * and hands them to what it starts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { deferred, type Deferred } from '../util/index.js';
import { errnoText } from './program.js';
import { shimPath } from './shim.js';

/** Where the shim writes stdout and stderr, see native/log.c. */
export interface LogTarget {
  /** Of the service: out.log and err.log. */
  readonly folder: string;
  readonly instance: number;
  readonly attempt: number;
  /** Of a file and its index together. */
  readonly maxBytes: number;
  /** Files beside the current one. */
  readonly keep: number;
}

export interface Launch {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Numeric; undefined: the daemon's own user. */
  readonly user?:
    { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } | undefined;
  readonly log: LogTarget;
  /** Comes back in the first report of the shim, for a later daemon; without blanks. */
  readonly note: string;
  /** Keys of held sockets: descriptors 3, 4, … of the application, in this order. */
  readonly sockets: readonly string[];
  /** A pipe and a folder for a preload, see native/shim.c. */
  readonly hasChannel: boolean;
  /** NOTIFY_SOCKET, see sd_notify(3). */
  readonly isNotified: boolean;
}

export interface BoundSocket {
  /** Numeric, or `unix:/path`. */
  readonly address: string;
  readonly port: number;
}

export type SocketStage = 'socket' | 'bind' | 'listen' | 'take' | 'key' | 'launcher';

/** What was asked of a socket could not be done. */
export class SocketError extends Error {
  constructor(
    readonly stage: SocketStage,
    readonly errno: number,
  ) {
    super(`${stage}: ${errnoText(errno)}`);
  }
}

export type SocketVerb = 'open' | 'take' | 'listen' | 'unlisten' | 'close';

export class Launcher {
  readonly #eventsPath: string;
  readonly #onLost: () => void;
  readonly #asked = new Map<string, Deferred<BoundSocket>>();
  #process: ChildProcess | undefined;
  #lastToken = 0;
  #isClosed = false;

  /** `onLost`: it was killed; what was asked of it in this moment may not have been done. */
  constructor(eventsPath: string, onLost: () => void) {
    this.#eventsPath = eventsPath;
    this.#onLost = onLost;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  launch(runDir: string, launch: Launch): void {
    const { argv, cwd, env, user, note, log, sockets, hasChannel, isNotified } = launch;
    const options = [`cwd=${cwd}`, `note=${note}`, ...logOptions(log)];
    if (user) options.push(`user=${[user.uid, user.gid, ...user.groups].join(':')}`);
    if (sockets.length > 0) options.push(`fds=${sockets.length}`);
    if (hasChannel) options.push('channel');
    if (isNotified) options.push('notify');
    const run = [runDir, this.#eventsPath, ...options, '--', ...argv];
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    this.#request(['launch', sockets.join(), String(run.length), ...run, ...variables]);
  }

  /** Rejects with `SocketError`. The words behind the key are those of native/sockets.c. */
  socket(verb: SocketVerb, key: string, ...words: readonly (string | number)[]): Promise<BoundSocket> {
    const token = String(++this.#lastToken);
    const answer = deferred<BoundSocket>();
    this.#asked.set(token, answer);
    this.#request([verb, token, key, ...words.map(String)]);
    return answer.promise;
  }

  /** What the launcher reports as `- socket …`, by way of the FIFO that all shims share. */
  onSocketAnswer([token = '', result, first = '', second = '']: readonly string[]): void {
    const answer = this.#asked.get(token);
    this.#asked.delete(token);
    if (result === 'ok') answer?.resolve({ address: first, port: Number(second) });
    else answer?.reject(new SocketError(second as SocketStage, Number(first)));
  }

  /** Its shims stay. */
  close(): void {
    this.#isClosed = true;
    this.#process?.stdin?.end();
  }

  /** Requests of one turn of the event loop go out together. */
  #request(words: readonly string[]): void {
    const strings = Buffer.from(words.map((text) => `${text}\0`).join(''));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(strings.length);
    this.#write(Buffer.concat([size, strings]));
  }

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
      for (const answer of this.#asked.values())
        answer.reject(new SocketError('launcher', constants.errno.EPIPE));
      this.#asked.clear();
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

function logOptions({ folder, instance, attempt, maxBytes, keep }: LogTarget): string[] {
  return [`log=${folder}`, `log-as=${instance}.${attempt}`, `log-max=${maxBytes}`, `log-keep=${keep}`];
}

/**
 * A small process of its own (native/launcher.c) that starts shims, because a fork of the daemon costs milliseconds of
 * its only thread and a fork of the launcher costs microseconds of another core; and that holds the sockets of services
 * and hands them to what it starts.
 */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { deferred, type Deferred } from '../util/index.js';
import { errnoText } from './program.js';
import { shimPath } from './shim.js';
import { descriptorOf, inheritedSocket } from './unix-socket.js';

/** See native/rotate.c. */
export interface LogLimits {
  /** out-3.log for instance 3. */
  readonly isOwn: boolean;
  /** Of a file and its index together. */
  readonly maxBytes: number;
  /** Files beside the current one. */
  readonly keep: number;
  /** Of all logs in the folder. */
  readonly totalBytes: number;
  /** A file that was begun so long ago is moved aside. */
  readonly rotateMs: number | null;
  /** One that was written so long ago is deleted. */
  readonly keepMs: number | null;
}

/** Where the shim writes stdout and stderr, see native/log.c. */
export interface LogTarget {
  /** Of the service: out.log and err.log. */
  readonly folder: string;
  readonly instance: number;
  readonly attempt: number;
  readonly limits: LogLimits;
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

export type SocketStage = 'socket' | 'bind' | 'listen' | 'take' | 'borrow' | 'key' | 'launcher';

/** What was asked of a socket could not be done. */
export class SocketError extends Error {
  constructor(
    readonly stage: SocketStage,
    readonly errno: number,
  ) {
    super(`${stage}: ${errnoText(errno)}`);
  }
}

export type SocketVerb = 'open' | 'take' | 'borrow' | 'listen' | 'unlisten' | 'close';

/** The process, and the pipe for requests to it. */
interface Running {
  readonly pid: number | undefined;
  readonly stdin: Socket;
}

export class Launcher {
  /** It was killed; what was asked of it in this moment may not have been done. */
  onLost: () => void = () => undefined;
  readonly #eventsPath: string;
  readonly #asked = new Map<string, Deferred<BoundSocket>>();
  #process: Running | undefined;
  #lastToken = 0;
  #isClosed = false;

  /** `inherited`: one that another daemon has started, and its pipe as a descriptor of this process. */
  constructor(eventsPath: string, inherited?: { readonly pid: number; readonly fd: number }) {
    this.#eventsPath = eventsPath;
    if (!inherited) return;
    const running = this.#keep({ pid: inherited.pid, stdin: inheritedSocket(inherited.fd).resume() });
    running.stdin.once('close', () => this.#onGone(running));
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The descriptor of its pipe, for another daemon. */
  get descriptor(): number {
    return descriptorOf(this.#running().stdin);
  }

  /** Resolves when everything that was asked of it is in its pipe. */
  async flushed(): Promise<void> {
    const { stdin } = this.#running();
    await new Promise<void>((resolve) => stdin.write('', () => resolve()));
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
    this.#process?.stdin.end();
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
    if (stdin.writableCorked === 0) {
      stdin.cork();
      setImmediate(() => stdin.uncork());
    }
    stdin.write(request);
  }

  #running(): Running {
    if (this.#process) return this.#process;
    const child = spawn(shimPath(), ['serve', this.#eventsPath], {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    const running = this.#keep({ pid: child.pid, stdin: child.stdin as Socket });
    child.once('exit', () => this.#onGone(running));
    child.once('error', () => this.#onGone(running));
    child.unref();
    return running;
  }

  #keep(running: Running): Running {
    this.#process = running;
    running.stdin.on('error', () => undefined); // EPIPE: its end is told otherwise
    running.stdin.unref();
    return running;
  }

  #onGone(running: Running): void {
    if (this.#process !== running) return;
    this.#process = undefined;
    for (const answer of this.#asked.values())
      answer.reject(new SocketError('launcher', constants.errno.EPIPE));
    this.#asked.clear();
    if (!this.#isClosed) this.onLost();
  }
}

function logOptions({ folder, instance, attempt, limits }: LogTarget): string[] {
  return [
    `log=${folder}`,
    `log-as=${instance}.${attempt}`,
    `log-max=${limits.maxBytes}`,
    `log-keep=${limits.keep}`,
    `log-total=${limits.totalBytes}`,
    ...(limits.isOwn ? ['log-own'] : []),
    ...(limits.rotateMs === null ? [] : [`log-every=${limits.rotateMs}`]),
    ...(limits.keepMs === null ? [] : [`log-age=${limits.keepMs}`]),
  ];
}

/** Plays the shim and the launcher for programs with the preload: holds their sockets, hears them, asks them. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync } from 'node:fs';
import net, { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

export const PRELOAD = fileURLToPath(new URL('../../dist/preload.cjs', import.meta.url));

const { _createServerHandle: createServerHandle } = net as unknown as {
  _createServerHandle(address: string, port: number, family: number): SocketHandle | number;
};

interface SocketHandle {
  readonly fd: number;
  getsockname?(name: { port?: number }): void;
  close(): void;
}

export interface HeldPort {
  readonly host: string;
  readonly port: number;
  readonly any: boolean;
  readonly handle: SocketHandle;
}

export interface AttemptOptions {
  readonly node?: string;
  readonly hold?: boolean;
  readonly messages?: boolean;
  /** NODE_OPTIONS of its own. */
  readonly options?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly sockets?: readonly HeldPort[];
  /** Without the preload, everything else the same. */
  readonly isBare?: boolean;
}

export class PreloadHost {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-preload-')));
  readonly #held: HeldPort[] = [];
  readonly #attempts: HostedAttempt[] = [];

  /** Bound, not listening, as the launcher holds a socket with BACKLOG 0. Port 0: any that is free. */
  hold(host: string, port = 0, any = false): HeldPort {
    const path = host.startsWith('unix:') ? host.slice('unix:'.length) : null;
    const handle =
      path === null
        ? createServerHandle(host, port, host.includes(':') ? 6 : 4)
        : createServerHandle(path, -1, -1);
    if (typeof handle === 'number') throw new Error(`Cannot hold ${host}:${port}: ${handle}`);
    const name: { port?: number } = {};
    handle.getsockname?.(name);
    const held = { host, port: name.port ?? 0, any, handle };
    this.#held.push(held);
    return held;
  }

  /** `command` is `node` and what follows it, unless it begins with another program. */
  start(command: readonly string[], options: AttemptOptions = {}): HostedAttempt {
    const attempt = new HostedAttempt(join(this.folder, String(this.#attempts.length)), command, {
      sockets: this.#held,
      ...options,
    });
    this.#attempts.push(attempt);
    return attempt;
  }

  /** Nobody holds them any more, so that a bare program can listen. */
  release(): void {
    for (const { handle } of this.#held.splice(0)) handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const attempt of this.#attempts) await attempt.dispose();
    this.release();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class HostedAttempt {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** What came over the channel. */
  readonly said: string[] = [];
  stdout = '';
  stderr = '';
  readonly #app: string;
  readonly #pipe: number;
  readonly #reader: Socket;
  readonly #words: Interface;

  constructor(folder: string, command: readonly string[], options: AttemptOptions) {
    this.#app = join(folder, 'app');
    mkdirSync(this.#app, { recursive: true, mode: 0o700 });
    const fifo = join(folder, 'up');
    execFileSync('mkfifo', [fifo]);
    this.#pipe = openSync(fifo, constants.O_RDWR);
    this.#reader = new Socket({
      fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK),
      writable: false,
    });
    this.#words = createInterface({ input: this.#reader }).on('line', (line) => this.said.push(line));
    this.process = this.#spawn(command, options);
    this.ended = this.#end();
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  get pid(): number {
    return this.process.pid!;
  }

  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  /** The words of the first line that was said and matches. */
  async untilSaid(pattern: RegExp): Promise<string[]> {
    const line = await until(
      `${pattern} was said. stdout: ${this.stdout} stderr: ${this.stderr} said: ${this.said.join('; ')}`,
      () => this.said.find((words) => pattern.test(words)),
    );
    return line.split(' ');
  }

  async untilPrinted(pattern: RegExp): Promise<string> {
    return until(`${pattern} was printed`, () => this.lines.find((line) => pattern.test(line)));
  }

  socket(name: string | number): string {
    return join(this.#app, String(name));
  }

  async control(pid = this.pid): Promise<ControlConnection> {
    await this.untilSaid(new RegExp(`^control ${pid}$`));
    return ControlConnection.open(this.socket(pid));
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.process.kill(signal);
  }

  async dispose(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      try {
        process.kill(-this.pid, 'SIGKILL');
      } catch {
        // its group has ended meanwhile
      }
    }
    await this.ended;
    this.#words.close();
    this.#reader.destroy();
    closeSync(this.#pipe);
  }

  #spawn(command: readonly string[], { sockets = [], ...options }: AttemptOptions): ChildProcess {
    const node = options.node ?? process.execPath;
    const folder = openSync(this.#app, constants.O_RDONLY | constants.O_DIRECTORY);
    const inherited = sockets.flatMap(({ handle: { fd } }) => [fd, fd, fd, fd]);
    const channel = `${3 + inherited.length}:${4 + inherited.length}`;
    const ownOptions = options.options === undefined ? {} : { NODE_OPTIONS: options.options };
    const preload = {
      path: PRELOAD,
      sockets: sockets.map(({ host, port, any }, index) => ({
        fds: [0, 1, 2, 3].map((spare) => 3 + 4 * index + spare),
        host,
        port,
        any,
      })),
      hold: options.hold ?? false,
      messages: options.messages ?? false,
      blocking: true,
      options: options.options ?? null,
    };
    const isOld = node.includes('7.10');
    const [program = node, ...args] =
      command[0] === 'node'
        ? [node, ...(isOld && !options.isBare ? ['-r', PRELOAD] : []), ...command.slice(1)]
        : command;
    const inheritedEnv = { ...process.env };
    delete inheritedEnv['NODE_OPTIONS'];
    const env = options.isBare
      ? { ...inheritedEnv, ...ownOptions, ...options.env }
      : {
          ...inheritedEnv,
          ...options.env,
          UPKEEP_CHANNEL: channel,
          UPKEEP_PRELOAD: JSON.stringify(preload),
          NODE_OPTIONS: [`--require ${PRELOAD}`, options.options ?? []].flat().join(' '),
        };
    const child = spawn(program, args, {
      cwd: options.cwd,
      env,
      detached: true, // a group of its own, which is what is ended
      stdio: ['ignore', 'pipe', 'pipe', ...inherited, this.#pipe, folder],
    });
    closeSync(folder);
    return child;
  }

  async #end(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const [code, signal] = (await once(this.process, 'close')) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  }
}

/** A conversation over a control socket. */
export class ControlConnection {
  readonly #socket: Socket;
  readonly #answers: { [key: string]: unknown }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined); // the process has ended
    createInterface({ input: socket })
      .on('line', (line) => this.#answers.push(JSON.parse(line) as { [key: string]: unknown }))
      .on('error', () => undefined);
  }

  static async open(path: string): Promise<ControlConnection> {
    const socket = net.connect(path);
    await once(socket, 'connect');
    return new ControlConnection(socket);
  }

  /** Answers the next line. */
  async ask(request: object): Promise<{ [key: string]: unknown }> {
    this.#socket.write(`${JSON.stringify(request)}\n`);
    return this.next();
  }

  async next(): Promise<{ [key: string]: unknown }> {
    return until('an answer came', () => this.#answers.shift());
  }

  close(): void {
    this.#socket.destroy();
  }
}

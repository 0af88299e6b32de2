/** Debian's HAProxy in front of servers of this machine, with a runtime socket; reloaded as systemd would. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { until } from './until.js';

const PROGRAM = '/usr/sbin/haproxy';

/** Where it has to be, its absence is a failure. */
export function unlessHaproxy(): string | false {
  return existsSync(PROGRAM) || process.env['CI'] ? false : `no ${PROGRAM}: apt-get install haproxy`;
}

export interface HaproxyOptions {
  readonly folder: string;
  /** By backend: the port in front of it, and the ports of its servers. */
  readonly backends: Readonly<
    Record<string, { readonly port: number; readonly servers: Readonly<Record<string, number>> }>
  >;
  /** Whether a reload keeps what was set by hand. @default false */
  readonly keepsState?: boolean;
  /** Of `default-server`. @default 100 */
  readonly weight?: number;
  /** Names of servers that haproxy.cfg disables. @default none */
  readonly disabled?: readonly string[];
  /** @default admin */
  readonly level?: 'admin' | 'user';
}

export class Haproxy implements AsyncDisposable {
  readonly socket: string;
  readonly #options: HaproxyOptions;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #said = '';

  private constructor(options: HaproxyOptions) {
    this.#options = options;
    this.socket = join(options.folder, 'haproxy.sock');
    // A master that stays, and workers that a reload replaces.
    const args = ['-W', '-f', join(options.folder, 'haproxy.cfg')];
    this.#process = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.on('data', (part: Buffer) => (this.#said += part.toString()));
    this.#exited = once(this.#process, 'exit');
  }

  static async start(options: HaproxyOptions): Promise<Haproxy> {
    await mkdir(options.folder, { recursive: true });
    const haproxy = new Haproxy(await write(options));
    await until('HAProxy answers', () => haproxy.ask('show info').catch(() => false));
    return haproxy;
  }

  get said(): string {
    return this.#said;
  }

  async ask(command: string): Promise<string> {
    const socket = connect(this.socket);
    await once(socket, 'connect');
    socket.write(`${command}\n`);
    return text(socket);
  }

  /** Resolves when the next worker has taken over. `state`: what stands in its server-state-file. */
  async reload(state?: string): Promise<void> {
    if (this.#options.keepsState)
      await writeFile(
        join(this.#options.folder, 'state'),
        (state ?? (await this.ask('show servers state'))).trimStart(),
      );
    const before = await this.#worker();
    this.#process.kill('SIGUSR2');
    await until('another worker answers', async () => (await this.#worker().catch(() => before)) !== before);
  }

  /** It hears and does not answer until what this gives is called. */
  async pause(): Promise<() => void> {
    const pid = Number(await this.#worker());
    process.kill(pid, 'SIGSTOP');
    return () => void process.kill(pid, 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
  }

  async #worker(): Promise<string> {
    return /^Pid: (\d+)$/m.exec(await this.ask('show info'))![1]!;
  }
}

async function write(options: HaproxyOptions): Promise<HaproxyOptions> {
  const { folder, backends, keepsState, weight = 100, disabled = [], level = 'admin' } = options;
  const parts = Object.entries(backends).flatMap(([name, { port, servers }]) => [
    `frontend ${name}-in`,
    `  bind 127.0.0.1:${port}`,
    `  default_backend ${name}`,
    `backend ${name}`,
    '  balance roundrobin',
    '  option httpchk GET /',
    `  default-server check inter 300ms fall 2 rise 1 weight ${weight}`,
    ...Object.entries(servers).map(
      ([server, at]) => `  server ${server} 127.0.0.1:${at}${disabled.includes(server) ? ' disabled' : ''}`,
    ),
  ]);
  const state = keepsState ? [`  server-state-file ${join(folder, 'state')}`] : [];
  if (keepsState) await writeFile(join(folder, 'state'), '');
  const configuration = [
    'global',
    `  stats socket ${join(folder, 'haproxy.sock')} mode 660 level ${level} expose-fd listeners`,
    ...state,
    'defaults',
    '  mode http',
    // Who is asked in the moment of a reload gets an answer, and is not cut off.
    '  option idle-close-on-response',
    // A machine with much to do answers late; who is gone is noticed at once all the same.
    '  timeout check 20s',
    '  timeout connect 20s',
    '  timeout client 30s',
    '  timeout server 30s',
    ...(keepsState ? ['  load-server-state-from-file global'] : []),
    ...parts,
    '',
  ];
  await writeFile(join(folder, 'haproxy.cfg'), configuration.join('\n'));
  return options;
}

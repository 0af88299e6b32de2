/** A rig whose daemon is test/fixtures/switchover-daemon.ts, with services that are switched from release to release. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServiceConfig } from '../../src/config/index.js';
import type { ServiceSpec } from '../../src/protocol/index.js';
import type { SideView } from '../../src/supervisor/index.js';
import type { SwitchoverCall } from '../fixtures/switchover-daemon.js';
import { app } from './paths.js';
import { Program } from './program.js';
import { Rig } from './rig.js';

const DAEMON = fileURLToPath(new URL('../fixtures/switchover-daemon.ts', import.meta.url));

type Call = Omit<SwitchoverCall, 'do' | 'release' | 'specs'>;

export interface ReleasingOptions {
  /** How long new instances of a killed daemon stay where nobody asks. @default 60 s */
  readonly unaskedMs?: number;
}

export class Releasing implements AsyncDisposable {
  readonly rig: Rig;
  readonly #options: ReleasingOptions;
  #daemon: Program | undefined;
  #socket: Socket | undefined;
  #lastId = 0;
  readonly #answers = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();

  private constructor(rig: Rig, options: ReleasingOptions) {
    this.rig = rig;
    this.#options = options;
  }

  static async create(options: ReleasingOptions = {}): Promise<Releasing> {
    const releasing = new Releasing(await Rig.create({ hasDaemon: false }), options);
    await releasing.start();
    return releasing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon?.process.exitCode === null && this.#daemon.process.signalCode === null)
      await this.rig.client.call('daemon').catch(() => this.kill());
    await this.rig[Symbol.asyncDispose]();
    this.#socket?.destroy();
  }

  /** What it says of mistakes of its own. */
  get complaints(): string {
    return this.#daemon?.stderr ?? '';
  }

  async start(): Promise<void> {
    const { env, folder } = this.rig;
    const daemon = new Program(process.execPath, ['--import', import.meta.resolve('tsx'), DAEMON], {
      env: { ...env, UNASKED_MS: String(this.#options.unaskedMs ?? 60_000) },
      cwd: folder,
    });
    this.#daemon = daemon;
    await this.rig.until('the daemon is ready', () => {
      if (daemon.process.exitCode !== null) throw new Error(`The daemon does not start: ${daemon.stderr}`);
      return daemon.lines.includes('ready');
    });
    this.#socket = connect(join(this.rig.home.path, 'switchover.sock'));
    await once(this.#socket, 'connect');
    this.#socket.on('error', () => undefined); // it was killed; 'close' follows
    this.#socket.on('close', () => {
      for (const { reject } of this.#answers.values()) reject(new Error('the daemon has ended'));
      this.#answers.clear();
    });
    createInterface({ input: this.#socket }).on('line', (line) => this.#take(line));
  }

  /** By SIGKILL. */
  async kill(): Promise<void> {
    this.#daemon!.process.kill('SIGKILL');
    await this.ended();
  }

  /** It has killed itself. */
  async ended(): Promise<void> {
    await this.#daemon!.ended;
  }

  async next(): Promise<void> {
    await this.kill();
    await this.start();
  }

  ask<T = void>(
    what: SwitchoverCall['do'],
    release: string,
    specs: readonly ServiceSpec[],
    call: Call = {},
  ): Promise<T> {
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      this.#answers.set(id, { resolve: resolve, reject });
      this.#socket!.write(`${JSON.stringify({ id, do: what, release, specs, ...call })}\n`);
    });
  }

  #take(line: string): void {
    const { id, value, error, code } = JSON.parse(line) as {
      id: number;
      value?: unknown;
      error?: string;
      code?: string;
    };
    const waiting = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(Object.assign(new Error(error), { code }));
  }
}

export type Look = readonly SideView[];

/** `api` by a release, with whatever is wrong with it. */
export function releasable(port: number, release: string, config: ServiceConfig = {}): ServiceConfig {
  return {
    script: app('releasable.cjs'),
    port,
    ready: { timeout: '2s' },
    ...config,
    env: { PORT: String(port), RELEASE: release, ...config.env },
  };
}

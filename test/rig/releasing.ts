/** A rig whose daemon is test/fixtures/switchover-daemon.ts, with services that are switched from release to release. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { ServiceConfig } from '../../src/config/index.js';
import type { ServiceSpec } from '../../src/protocol/index.js';
import type { SideView } from '../../src/supervisor/index.js';
import type { SwitchoverCall } from '../fixtures/switchover-daemon.js';
import { app, CLI } from './paths.js';
import { Program } from './program.js';
import { Rig } from './rig.js';
import { visit, type Load } from './visit.js';

const DAEMON = fileURLToPath(new URL('../fixtures/switchover-daemon.ts', import.meta.url));
/** Within the package, where it finds the shim and the preload. */
const BUNDLE = join(dirname(dirname(CLI)), 'node_modules', '.cache', 'upkeep', `daemon-${process.pid}.js`);

/** One file starts in a fraction of the time that hundreds take to be compiled each time. */
let bundled: Promise<unknown> | undefined;

function bundle(): Promise<unknown> {
  process.once('exit', () => rmSync(BUNDLE, { force: true }));
  return build({
    ...({ bundle: true, format: 'esm', platform: 'node', target: 'node20', packages: 'external' } as const),
    entryPoints: [DAEMON],
    outfile: BUNDLE,
  });
}

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
    await (bundled ??= bundle());
    const daemon = new Program(process.execPath, [BUNDLE], {
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
    const { process: daemon } = this.#daemon!;
    // Its output stays open: what it has started goes on.
    if (daemon.exitCode === null && daemon.signalCode === null) await once(daemon, 'exit');
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

/** Faults by which it is never ready, which is waited for; whatever else is ready takes as long as it takes. */
const NEVER_READY: readonly unknown[] = ['hangs', 'elsewhere'];

/** `api` by a release, with whatever is wrong with it. */
export function releasable(port: number, release: string, config: ServiceConfig = {}): ServiceConfig {
  return {
    script: app('releasable.cjs'),
    port,
    ready: { timeout: NEVER_READY.includes(config.env?.['FAULT']) ? '2s' : '20s' },
    ...config,
    env: { PORT: String(port), RELEASE: release, ...config.env },
  };
}

/** Of instances in the given role, or of all. */
export async function pidsOf({ rig }: Releasing, role?: string, name = 'api'): Promise<number[]> {
  const { instances } = await rig.service(name);
  return instances
    .filter((instance) => role === undefined || instance.role === role)
    .flatMap(({ pid }) => pid ?? [])
    .sort((a, b) => a - b);
}

/** How many instances are in each role. */
export async function rolesOf({ rig }: Releasing, name = 'api'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { role } of (await rig.service(name)).instances) counts[role] = (counts[role] ?? 0) + 1;
  return counts;
}

export function answersOf(load: Load, release: string): number {
  return [...load.answers].reduce((sum, [body, count]) => sum + (body.startsWith(release) ? count : 0), 0);
}

/** Waits until the release answers once more. */
export async function answered({ rig }: Releasing, load: Load, release: string): Promise<void> {
  const before = answersOf(load, release);
  await rig.until(`${release} answers`, () => answersOf(load, release) > before);
}

/** A request that is never answered, and has been accepted; it is broken off when it is disposed. */
export async function keepWaiting(port: number): Promise<Disposable> {
  const request = get({ port, path: '/open', agent: false }).on('error', () => undefined);
  await once(request, 'finish');
  await visit(port); // they are accepted in their order
  return { [Symbol.dispose]: () => void request.destroy() };
}

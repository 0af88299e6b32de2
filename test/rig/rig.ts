/**
 * A daemon of its own for one test: a temporary home, the built CLI, a client, puppets. At its end everything is
 * deleted, and whatever still lives and knows this home fails the test.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeFrom, type Client, type Home } from '../../src/client/index.js';
import { formatDiagnostics, loadConfig, type ServiceConfig } from '../../src/config/index.js';
import type {
  DaemonView,
  ExplainedExit,
  InstanceView,
  OperationRequest,
  OperationView,
  ServiceSpec,
  ServiceView,
  UpkeepEvent,
} from '../../src/protocol/index.js';
import {
  findByEnvironment,
  isAlive,
  readCommand,
  readProcess,
  sendSignal,
  SignalTrace,
  type ProcessRow,
} from '../../src/system/index.js';
import type { StoredState } from '../../src/store/index.js';
import { ConformingClient } from './conforming-client.js';
import { app, CLI } from './paths.js';
import { Program, type Outcome } from './program.js';
import type { Puppet } from './puppet.js';
import { Stage } from './stage.js';
import { until, type Sight } from './until.js';

const SHOWN_EVENTS = 60;
const LEAVE_MS = 5000;

export interface RigOptions {
  /** Whether a daemon runs from the beginning. @default true */
  readonly hasDaemon?: boolean;
}

export class Rig implements AsyncDisposable {
  /** For whatever a test needs: scripts, configurations. */
  readonly folder: string;
  readonly home: Home;
  /** Of every command and so of the daemon: nothing of the test runner's own. */
  readonly env: NodeJS.ProcessEnv;
  readonly client: Client;
  readonly #stage: Stage;
  readonly #programs: Program[] = [];

  private constructor(folder: string, stage: Stage) {
    const { PATH, HOME, USER } = process.env;
    this.folder = folder;
    this.env = { PATH, HOME, USER, LANG: 'C.UTF-8', UPKEEP_HOME: join(folder, 'home') };
    this.home = homeFrom(this.env);
    this.client = new ConformingClient(() => dial(this.home.socket));
    this.#stage = stage;
  }

  static async create({ hasDaemon = true }: RigOptions = {}): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), 'upkeep-rig-'));
    mkdirSync(join(folder, 'app'));
    const rig = new Rig(folder, await Stage.open(join(folder, 'stage.sock')));
    if (hasDaemon) await rig.startDaemon();
    return rig;
  }

  /** Ends everything, looks whether that is so, and clears the folder away. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { process } of this.#programs) process.kill('SIGKILL');
    try {
      await this.#leaveNothing();
    } finally {
      this.#stage.close();
      new SignalTrace(this.home.path).remove(); // what a killed daemon has left of it
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  // ── commands ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Runs the built CLI to its end. */
  cli(...args: string[]): Promise<Outcome> {
    return this.follow(...args).ended;
  }

  /** Runs the built CLI beside the test. */
  follow(...args: string[]): Program {
    const program = new Program(process.execPath, [CLI, ...args], {
      env: this.env,
      cwd: join(this.folder, 'app'),
    });
    this.#programs.push(program);
    return program;
  }

  /** The same for a shell. */
  command(...args: string[]): string {
    return [`'${process.execPath}' '${CLI}'`, ...args].join(' ');
  }

  async startDaemon(): Promise<void> {
    const { code, stderr } = await this.cli('daemon', 'start');
    if (code !== 0) throw new Error(`The daemon does not start: ${stderr}`);
  }

  /** What the daemon wrote last. */
  state(): StoredState {
    const [, body = ''] = readFileSync(this.home.state, 'utf8').split('\n');
    return JSON.parse(body) as StoredState;
  }

  /** No copy of the state can be used any more. */
  spoilState(): void {
    for (const name of readdirSync(this.home.path)) {
      if (name.startsWith('state.json')) writeFileSync(join(this.home.path, name), 'spoilt');
    }
  }

  /** By SIGKILL, and its guardian with it: nobody starts it again. Resolves when both are gone. */
  async killDaemon(): Promise<void> {
    const { pid, guardian } = await this.client.call('daemon');
    process.kill(pid, 'SIGSTOP'); // or it would start another guardian
    if (guardian !== null) await this.killProcess(guardian);
    await this.killProcess(pid);
  }

  /** By SIGKILL, the daemon alone. Resolves when it is gone. */
  async crashDaemon(): Promise<void> {
    const { pid } = await this.client.call('daemon');
    await this.killProcess(pid);
  }

  /** Waits until a daemon answers, without starting one. */
  untilAnswering(): Promise<DaemonView> {
    return this.until('a daemon answers', () => this.client.call('daemon').catch(() => undefined));
  }

  async killProcess(pid: number): Promise<void> {
    const row = readProcess(pid);
    if (!row) return;
    process.kill(pid, 'SIGKILL');
    await until(`pid ${pid} is gone`, () => !isAlive(row));
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A file below the folder of the rig; answers its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.folder, 'app', name);
    writeFileSync(path, text, { mode });
    return path;
  }

  remove(name: string): void {
    rmSync(join(this.folder, 'app', name), { recursive: true });
  }

  /** What `upkeep.config.json` with these services means. */
  async specs(services: Record<string, ServiceConfig>): Promise<readonly ServiceSpec[]> {
    const path = this.write('upkeep.config.json', JSON.stringify({ services }));
    const result = await loadConfig(path, { shellEnv: this.env });
    if (!result.ok) throw new Error(formatDiagnostics(result.diagnostics));
    return result.services;
  }

  /** Makes the services exist and run; answers the operation at its end. */
  async up(services: Record<string, ServiceConfig>): Promise<OperationView> {
    return this.request({ kind: 'up', services: [...(await this.specs(services))] });
  }

  /** Asks for an operation and answers it at its end. */
  async request(body: OperationRequest): Promise<OperationView> {
    let last: OperationView | undefined;
    for await (const view of this.client.stream('request', { body })) last = view;
    return last!;
  }

  /** Asks for an operation and answers it as soon as it is accepted. */
  async accept(body: OperationRequest): Promise<OperationView> {
    for await (const view of this.client.stream('request', { body })) return view;
    throw new Error('The operation was not accepted');
  }

  ended(id: string): Promise<OperationView> {
    return this.client.call('operation', { params: { id }, query: { wait: '1' }, timeoutMs: 0 });
  }

  // ── what is seen ──────────────────────────────────────────────────────────────────────────────────────────────────

  async service(name: string): Promise<ServiceView> {
    return this.client.call('service', { params: { name } });
  }

  async instance(name: string, index = 0): Promise<InstanceView> {
    const { instances } = await this.service(name);
    const found = instances.find((instance) => instance.index === index);
    if (!found) throw new Error(`${name} has no instance ${index}`);
    return found;
  }

  /** Of one service, or all there were; oldest first. */
  async events(service?: string): Promise<UpkeepEvent[]> {
    const query = { limit: '1000', ...(service === undefined ? {} : { service }) };
    const events: UpkeepEvent[] = [];
    for await (const event of this.client.stream('events', { query })) events.push(event);
    return events;
  }

  /** Everything in the log file of a service. */
  async log(service: string, stream: 'out' | 'err' = 'out'): Promise<string> {
    const { logs } = await this.client.call('service', { params: { name: service } });
    return readOrEmpty(logs[stream]);
  }

  async untilLogged(service: string, text: string, stream: 'out' | 'err' = 'out'): Promise<void> {
    await this.until(`${service} wrote "${text}"`, async () =>
      (await this.log(service, stream)).includes(text),
    );
  }

  /** Waits for the condition; in vain, it tells what happened instead. */
  async until<T>(what: string, look: () => Sight<T>, deadlineMs?: number): Promise<T> {
    try {
      return await until(what, look, deadlineMs);
    } catch (cause) {
      throw new Error(`${(cause as Error).message}\n${await this.#tellStory()}`, { cause });
    }
  }

  untilExplained(name: string, attempt: number): Promise<ExplainedExit> {
    return this.until(`attempt ${attempt} of ${name} is explained`, async () => {
      const query = { attempt: String(attempt) };
      const { exits } = await this.client.call('why', { params: { name }, query });
      return exits[0];
    });
  }

  /** Waits until the instance is as it should be, and answers it. */
  untilInstance(name: string, is: (instance: InstanceView) => boolean, index = 0): Promise<InstanceView> {
    const look = async (): Promise<InstanceView | false> => {
      const instance = await this.instance(name, index);
      return is(instance) && instance;
    };
    return this.until(`${name}.${index} fulfils ${String(is)}`, look);
  }

  /** Waits until the daemon is told of changes of a file that `write` has written, or will be written. */
  async untilWatched(name: string): Promise<void> {
    const { pid } = await this.client.call('daemon');
    await this.until(`${name} is watched`, () => {
      const inode = statSync(join(this.folder, 'app', name), { throwIfNoEntry: false })?.ino.toString(16);
      return readdirSync(`/proc/${pid}/fdinfo`).some((fd) =>
        readOrEmpty(`/proc/${pid}/fdinfo/${fd}`).includes(` ino:${inode} `),
      );
    });
  }

  /** Processes that know this home. */
  processes(): ProcessRow[] {
    return findByEnvironment(`UPKEEP_HOME=${this.home.path}`);
  }

  /** A zombie does not: it only waits to be reaped, by whoever is not ours. */
  lives(pid: number): boolean {
    const row = readProcess(pid);
    return row !== undefined && row.state !== 'Z';
  }

  // ── puppets ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A service that does what the test says. */
  puppet(config: ServiceConfig = {}): ServiceConfig {
    return { script: app('puppet.js'), ...config, env: { ...config.env, PUPPET_STAGE: this.#stage.path } };
  }

  /** The living puppet of an instance; of a later attempt than `after`. */
  enter(service: string, { instance = 0, after = 0 } = {}): Promise<Puppet> {
    return this.until(`${service}.${instance} enters after attempt ${after}`, () =>
      this.#stage.find(service, instance, after),
    );
  }

  async #leaveNothing(): Promise<void> {
    try {
      await this.#endEverything();
    } finally {
      await this.#refuseLeftovers();
    }
  }

  /** A daemon is started where the test has killed it: somebody has to end what it left. */
  async #endEverything(): Promise<void> {
    if (this.processes().length === 0) return;
    if (!(await this.#isDaemonThere())) await this.startDaemon();
    await this.request({ kind: 'delete', services: 'all' });
    await this.client.call('stopDaemon');
  }

  async #isDaemonThere(): Promise<boolean> {
    return this.client.call('daemon').then(
      () => true,
      () => false,
    );
  }

  async #refuseLeftovers(): Promise<void> {
    const isEmpty = (): boolean => this.processes().length === 0;
    await until('nobody is left', isEmpty, LEAVE_MS).catch(() => undefined); // who is left is told below
    if (isEmpty()) return;
    const left = this.processes();
    const words = left.map(({ pid, state }) => `  pid ${pid} (${state}) ${readCommand(pid)}`);
    for (const row of left) sendSignal(row, 'SIGKILL');
    await until('they are gone', isEmpty);
    throw new Error(`These were left over:\n${words.join('\n')}`);
  }

  async #tellStory(): Promise<string> {
    const { stdout } = await this.cli('events', '-n', String(SHOWN_EVENTS));
    return `What happened instead:\n${stdout}`;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // not there yet, or not any more
  }
}

function dial(path: string): ReturnType<ConstructorParameters<typeof Client>[0]> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** One real daemon that lives through histories, many at a time: does what they say, and looks what became of it. */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectOrStart, type Client } from '../../../src/client/index.js';
import { applyOperation, EMPTY_MODEL, type Model } from '../../../src/core/index.js';
import {
  UpkeepError,
  type ErrorCode,
  type OperationRequest,
  type OperationView,
} from '../../../src/protocol/index.js';
import type { StoredState } from '../../../src/store/index.js';
import { isAlive, readProcess, sendSignal, type ProcessRow } from '../../../src/system/index.js';
import { until, type Rig } from '../../../test/rig/index.js';
import type { Command, History } from './history.js';

const CALM_MS = 15_000;
const LOOK_AGAIN_MS = 30;
/** Long enough for a restart that should not come. */
const STILL_MS = 150;

interface Accepted {
  readonly id: number;
  readonly request: OperationRequest;
}

export class World implements Disposable {
  readonly marks: string;
  readonly #rig: Rig;
  readonly #client: Client;
  readonly #journalPath: string;
  #journal: number;
  readonly #accepted = new Map<number, Accepted>();
  /** How often the daemon was ended. */
  deaths = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
    this.#client = connectOrStart(rig.home);
    this.#journalPath = join(rig.home.path, 'operations.jsonl');
    this.#journal = openSync(this.#journalPath, 'a+');
    this.marks = join(rig.folder, 'marks');
    mkdirSync(this.marks);
  }

  [Symbol.dispose](): void {
    closeSync(this.#journal);
  }

  get operations(): number {
    return this.#accepted.size;
  }

  async live(history: History): Promise<void> {
    await Promise.all(
      history.clients.map(async (turns) => {
        for (const { command, afterMs } of turns) {
          await delay(afterMs);
          await this.#do(command);
        }
      }),
    );
  }

  /** What differs from the model, in words, by history: when all is done, or else at the deadline. */
  async differences(histories: readonly History[]): Promise<Map<History, string[]>> {
    const deadline = performance.now() + CALM_MS;
    for (let isCalm = false; ;) {
      const found = await this.#compare(histories);
      const hasEnded = await this.#hasEndedAll();
      if (isCalm || performance.now() > deadline) return found;
      isCalm = hasEnded && found.size === 0;
      await delay(isCalm ? STILL_MS : LOOK_AGAIN_MS);
    }
  }

  async #do(command: Command): Promise<void> {
    switch (command.id) {
      case 'ask':
        return this.#ask(command.request);
      case 'kill':
        for (const { row, service } of this.#living())
          if (service === command.service) sendSignal(row, command.signal);
        return;
      case 'end-daemon':
        return this.#endDaemon(command.signal);
    }
  }

  /** Until it is accepted. Whether it was, where the daemon dies meanwhile, stands in the journal. */
  async #ask(body: OperationRequest): Promise<void> {
    const accept = async (): Promise<void> => {
      for await (const view of this.#client.stream('request', { body })) if (view) return;
    };
    await accept().catch(tolerate('service-not-found', 'daemon-unreachable'));
  }

  async #endDaemon(signal: NodeJS.Signals): Promise<void> {
    const daemon = await this.#client.call('daemon').catch(tolerate('daemon-unreachable'));
    const row = daemon && readProcess(daemon.pid);
    this.#readJournal();
    if (!row || !sendSignal(row, signal)) return; // another history was faster
    this.deaths++;
    await until(`daemon ${row.pid} is gone`, () => !isAlive(row));
    this.#readJournal();
  }

  /** Also what stood in the file before a daemon renewed it: a write that was cut off by SIGKILL makes it do so. */
  #readJournal(): void {
    this.#readAccepted();
    closeSync(this.#journal);
    this.#journal = openSync(this.#journalPath, 'a+');
    this.#readAccepted();
  }

  #readAccepted(): void {
    const text = Buffer.alloc(fstatSync(this.#journal).size);
    readSync(this.#journal, text, 0, text.length, 0);
    for (const line of text.toString('utf8').split('\n')) {
      if (!line.startsWith('{"type":"accepted"') || !line.endsWith('}')) continue;
      const { request, view } = JSON.parse(line) as { request: OperationRequest; view: OperationView };
      this.#accepted.set(Number(view.id), { id: Number(view.id), request });
    }
  }

  async #hasEndedAll(): Promise<boolean> {
    const operations = await this.#client.call('operations', { query: { limit: '1000000' } });
    return operations.every(({ status }) => status === 'succeeded' || status === 'failed');
  }

  async #model(): Promise<Model> {
    this.#readJournal();
    const views = await this.#client.call('operations', { query: { limit: '1000000' } });
    const refused = new Map(views.map((view) => [Number(view.id), refusedBy(view)]));
    const inOrder = [...this.#accepted.values()].sort((a, b) => a.id - b.id);
    return inOrder.reduce(
      (model, { id, request }) => applyOperation(model, request, refused.get(id)),
      EMPTY_MODEL,
    );
  }

  async #compare(histories: readonly History[]): Promise<Map<History, string[]>> {
    const model = await this.#model();
    const listed = new Map((await this.#client.call('services')).map((view) => [view.name, view]));
    const stored = new Map(this.#stored().services.map((service) => [service.spec.name, service]));
    const living = this.#living();
    const differences = (name: string): string[] => {
      const wanted = model.get(name);
      const view = listed.get(name);
      const versions = living.filter(({ service }) => service === name).map(({ version }) => version);
      return [
        ...differing(`${name} in list`, wordList(wanted), view && `${view.status} x${view.instances.length}`),
        ...differing(`${name} in /proc`, wordProcesses(wanted), versions.sort().join(' ')),
        ...differing(`${name} in state.json`, wordStored(wanted), wordStored(stored.get(name))),
      ];
    };
    const all = histories.map((history) => [history, history.services.flatMap(differences)] as const);
    return new Map(all.filter(([, found]) => found.length > 0));
  }

  #stored(): StoredState {
    const { state } = this.#rig.home;
    if (!existsSync(state)) return { services: [] }; // nothing was asked for yet
    const [, body] = readFileSync(state, 'utf8').split('\n');
    return JSON.parse(body!) as StoredState;
  }

  /** The processes of services, without their shims. */
  #living(): Living[] {
    return this.#rig.processes().flatMap((row) => {
      const env = readEnvironment(row.pid);
      const [service, version] = [env.get('UPKEEP_SERVICE'), env.get('VERSION') ?? 'unknown'];
      return service === undefined || row.name.startsWith('upkeep-shim') ? [] : [{ row, service, version }];
    });
  }
}

interface Living {
  readonly row: ProcessRow;
  readonly service: string;
  readonly version: string;
}

/** Services whose successor was killed before it could take over: the daemon says that nothing was changed. */
function refusedBy({ steps }: OperationView): ReadonlySet<string> {
  const failed = steps.filter(
    ({ action, failure }) => action === 'reload' && failure?.code === 'start-failed',
  );
  return new Set(failed.map(({ service }) => service));
}

/** For errors that are part of life. */
function tolerate(...codes: ErrorCode[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof UpkeepError && codes.includes(error.code)) return undefined;
    throw error;
  };
}

type Wanted = ReturnType<Model['get']>;

function endsByItself({ spec }: NonNullable<Wanted>): boolean {
  return spec.restart.policy === 'on-failure';
}

function wordList(wanted: Wanted): string | undefined {
  if (!wanted) return undefined;
  const { instances } = wanted.spec;
  const status = endsByItself(wanted) ? 'completed' : 'running';
  return `${wanted.isWanted && instances > 0 ? status : 'stopped'} x${instances}`;
}

function wordProcesses(wanted: Wanted): string {
  if (!wanted?.isWanted || endsByItself(wanted)) return '';
  return Array<string>(wanted.spec.instances).fill(wanted.spec.env['VERSION']!.value).join(' ');
}

function wordStored(stored: Wanted): string | undefined {
  return stored && `${JSON.stringify(sorted(stored.spec))}${stored.isWanted ? '' : ' stopped'}`;
}

/** Keys may come back in another order. */
function sorted(spec: object): unknown {
  return Object.fromEntries(Object.entries(spec).sort(([a], [b]) => a.localeCompare(b)));
}

function differing(where: string, expected = 'none', found = 'none'): string[] {
  return expected === found ? [] : [`${where}: expected ${expected || 'nobody'}, found ${found || 'nobody'}`];
}

function readEnvironment(pid: number): Map<string, string> {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return new Map(entries.map((entry) => [entry.split('=')[0]!, entry.slice(entry.indexOf('=') + 1)]));
  } catch {
    return new Map(); // it ended
  }
}

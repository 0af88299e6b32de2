/** The shop under upkeep: a home of its own, a configuration with a group, and releases from files. */
import { join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { formatDiagnostics, loadConfig } from '../../../src/config/index.js';
import type { ReleaseRequest, ReleaseSpec, ReleaseView } from '../../../src/protocol/index.js';
import { Rig } from '../rig.js';
import type { Build } from './builds.js';

export interface ShopOptions {
  readonly port: number;
  readonly otherPort?: number;
  readonly instances?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Longer than what is good needs anywhere. @default '20s' */
  readonly readyWithin?: string;
  /** What goes bad later does so when it is told to, not after a time. @default false */
  readonly goesBadWhenTold?: boolean;
  /** As in a configuration file. */
  readonly verify?: Readonly<Record<string, unknown>>;
  /** The same, of the whole group. */
  readonly group?: Readonly<Record<string, unknown>>;
  readonly service?: Readonly<Record<string, unknown>>;
  /** Whether a daemon runs from the beginning. @default true */
  readonly hasDaemon?: boolean;
}

export class Shop implements AsyncDisposable {
  readonly rig: Rig;
  readonly port: number;
  /** Where builds lie. */
  readonly builds: string;
  readonly #options: ShopOptions;

  private constructor(rig: Rig, options: ShopOptions) {
    this.rig = rig;
    this.port = options.port;
    this.builds = join(rig.folder, 'builds');
    mkdirSync(this.builds);
    this.#options = options;
  }

  static async create(options: ShopOptions): Promise<Shop> {
    const { hasDaemon = true } = options;
    return new Shop(await Rig.create({ hasDaemon }), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }

  /** What the configuration says of the group. */
  async spec(): Promise<ReleaseSpec> {
    const { port, otherPort, instances = 1, verify = {}, group = {}, service = {} } = this.#options;
    const told = this.#options.goesBadWhenTold
      ? { EXITS_WHEN: this.#badSign, FAULTY_WHEN: this.#badSign }
      : {};
    const env = { ...told, ...this.#options.env };
    const config = {
      services: {
        shop: {
          script: 'server.cjs',
          port,
          instances,
          env: { PORT: port, OTHER_PORT: otherPort ?? 0, ...env },
          ready: { http: '/health', timeout: this.#options.readyWithin ?? '20s' },
          stop: { drain: '5s', grace: '2s' },
          ...service,
        },
      },
      releases: { shop: { source: { type: 'file' }, install: 'none', verify, ...group } },
    };
    const path = this.rig.write('upkeep.config.json', JSON.stringify(config));
    const loaded = await loadConfig(path, { shellEnv: this.rig.env, home: this.rig.home.path });
    if (!loaded.ok) throw new Error(formatDiagnostics(loaded.diagnostics));
    return loaded.releases[0]!;
  }

  /** Asks for it and answers how it ended. */
  async release(build: Build, more: Partial<ReleaseRequest> = {}): Promise<ReleaseView> {
    const body = await this.request(build, more);
    let last: ReleaseView | undefined;
    for await (const view of this.rig.client.stream('requestRelease', { body })) last = view;
    return last!;
  }

  /** The same of a build that is good until it bakes, and bad from then on. */
  async releaseGoingBad(build: Build): Promise<ReleaseView> {
    let last: ReleaseView | undefined;
    for await (const view of this.rig.client.stream('requestRelease', { body: await this.request(build) })) {
      if (view.stage === 'bake') this.goBad();
      last = view;
    }
    return last!;
  }

  goBad(): void {
    writeFileSync(this.#badSign, '');
  }

  get #badSign(): string {
    return join(this.rig.folder, 'go-bad');
  }

  async rollback(to?: string): Promise<ReleaseView> {
    let last: ReleaseView | undefined;
    const body = { group: 'shop', ...(to === undefined ? {} : { to }) };
    for await (const view of this.rig.client.stream('rollback', { body })) last = view;
    return last!;
  }

  async request({ archive }: Build, more: Partial<ReleaseRequest> = {}): Promise<ReleaseRequest> {
    return {
      spec: await this.spec(),
      group: 'shop',
      target: { file: archive },
      waive: [],
      plan: false,
      force: false,
      ...more,
    };
  }
}

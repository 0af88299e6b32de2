/** One life of a daemon in its home: from the boot of a supervisor until it ends, or hands over to the next. */
import { join } from 'node:path';
import { Alerts } from '../alerts/index.js';
import {
  alertRoutes,
  ApiServer,
  errorRoutes,
  eventRoutes,
  logRoutes,
  operationRoutes,
  MetricsServer,
  parseAddress,
  releaseRoutes,
  reportRoutes,
  sampleRoutes,
  scrape,
  serviceRoutes,
  type Exchange,
} from '../api/index.js';
import {
  History,
  measurementOf,
  OtlpExporter,
  otlpOptions,
  PROMETHEUS_TYPE,
  prometheusText,
  Samples,
  SlowRequests,
  type Scraped,
} from '../metrics/index.js';
import { PROTOCOL, type DaemonView, type NewEvent } from '../protocol/index.js';
import { ErrorWatch, KnownErrors } from '../logs/index.js';
import type { Releases } from '../release/index.js';
import { EventStore, Journal, StateFile } from '../store/index.js';
import { Supervisor, type Handover } from '../supervisor/index.js';
import {
  memoryLeft,
  packageRoot,
  readCertificate,
  systemClock,
  type Guardian,
  type InitSystem,
} from '../system/index.js';
import { CertificateWatch } from './certificate-watch.js';
import { setMarks } from './deploy-marks.js';
import { DiskWatch } from './disk-watch.js';
import { Heap } from './heap.js';
import { wordEvent, type DaemonLog } from './log.js';
import { beginReleases } from './releases.js';
import { MemoryTrendWatch } from './memory-trend-watch.js';

/** After these a service may show a certificate, or another one. */
const MAY_SERVE: ReadonlySet<NewEvent['type']> = new Set([
  'instance-status',
  'instance-health',
  'service-updated',
  'service-deleted',
]);

export interface DaemonSetup {
  readonly home: string;
  readonly version: string;
  readonly log: DaemonLog;
  readonly guardian: Guardian;
  onStopAsked(): void;
  onUpgradeAsked(exchange: Exchange): Promise<void>;
}

export class Daemon {
  readonly #setup: DaemonSetup;
  readonly #startedAt = systemClock.wall().toISOString();
  readonly #events: EventStore;
  readonly #errors: ErrorWatch;
  readonly #known: KnownErrors;
  readonly #supervisor: Supervisor;
  readonly #alerts: Alerts;
  readonly #history: History;
  readonly #samples: Samples;
  readonly #slow: SlowRequests;
  readonly #trends: MemoryTrendWatch;
  readonly #certificates: CertificateWatch;
  readonly #releases: Releases;
  readonly #scrape: MetricsServer;
  readonly #api: ApiServer;
  readonly #heap = new Heap();
  #disk: DiskWatch | undefined;
  #otlp: OtlpExporter | undefined;

  /** `handover`: from the life before, in this process or in that of another version. */
  constructor(setup: DaemonSetup, handover?: Handover) {
    const { home, version } = setup;
    const onInternalError = (error: unknown): void => this.logInternalError(error);
    this.#setup = setup;
    this.#events = new EventStore(home, systemClock.wall);
    const emit = (event: NewEvent): void => this.emit(event);
    this.#errors = new ErrorWatch({
      home,
      wall: systemClock.wall,
      hide: (service) => this.#supervisor.hidingOf(service),
      emit,
      onInternalError,
    });
    this.#known = new KnownErrors(this.#errors, () => systemClock.wall().getTime());
    this.#supervisor = new Supervisor(
      { home, clock: systemClock, random: Math.random, emit, onInternalError },
      { state: new StateFile(home), journal: new Journal(join(home, 'operations.jsonl')), onInternalError },
      handover,
    );
    this.#alerts = new Alerts({
      home,
      events: this.#events,
      wall: systemClock.wall,
      services: () => this.#supervisor.specs,
      findOperation: (id) => this.#supervisor.operations.find(id),
      warn: (message) => this.warn(message),
      onInternalError,
    });
    this.#history = new History({
      home,
      wall: systemClock.wall,
      services: () => this.#supervisor.specs.map(({ name }) => name),
      findOperation: (id) => this.#supervisor.operations.find(id),
      onInternalError,
    });
    this.#slow = new SlowRequests({ home, onInternalError });
    const limits = (name: string) => this.#supervisor.specs.find((spec) => spec.name === name)?.limits;
    this.#trends = new MemoryTrendWatch(
      {
        now: () => systemClock.wall().getTime(),
        limitOf: (name) => limits(name)?.memoryBytes ?? null,
        memoryLeft,
        emit,
      },
      this.#alerts.openOf('memory-growing').map(([service]) => service),
    );
    this.#certificates = new CertificateWatch(
      {
        now: () => systemClock.wall().getTime(),
        specs: () => this.#supervisor.specs,
        levelOf: (service) => this.#history.level(service),
        read: readCertificate,
        emit,
        onInternalError,
      },
      this.#alerts.openOf('certificate'),
    );
    this.#samples = new Samples({
      home,
      wall: systemClock.wall,
      measure: async () => {
        const counted = await this.#supervisor.measure();
        const at = systemClock.wall().getTime();
        for (const [service, { processes }] of counted)
          this.#slow.note(
            service,
            processes.flatMap(({ now, before }) => (now === before ? [] : (now.slowest ?? []))),
            at,
          );
        this.#trends.note(counted);
        const probes = this.#supervisor.takeProbes();
        return new Map(
          [...counted].map(([service, counts]) => [service, measurementOf(counts, probes.get(service))]),
        );
      },
      onInternalError,
    });
    this.#releases = beginReleases({
      home,
      supervisor: this.#supervisor,
      errors: this.#known,
      clock: systemClock,
      wall: systemClock.wall,
      emit,
      onInternalError,
    });
    const text = (): string => prometheusText(this.#scraped());
    this.#scrape = new MetricsServer(PROMETHEUS_TYPE, text);
    this.#api = new ApiServer(
      {
        daemon: (exchange) => exchange.answer(this.describe()),
        stopDaemon: (exchange) => {
          exchange.answer(this.describe());
          setImmediate(() => setup.onStopAsked());
        },
        upgradeDaemon: (exchange) => setup.onUpgradeAsked(exchange),
        ...serviceRoutes(this.#supervisor, this.#known, this.#releases),
        ...operationRoutes(this.#supervisor, this.#releases),
        ...releaseRoutes(this.#releases, this.#supervisor),
        ...eventRoutes(this.#events),
        ...alertRoutes(this.#alerts),
        ...sampleRoutes(this.#samples, this.#supervisor),
        ...reportRoutes({ history: this.#history, samples: this.#samples, slow: this.#slow }, (asked) =>
          this.#supervisor.logs(asked).map(({ service }) => service),
        ),
        ...errorRoutes(this.#known, this.#supervisor),
        ...logRoutes(home, this.#supervisor, this.#events),
      },
      {
        version,
        openApiPath: join(packageRoot(), 'dist', 'openapi.json'),
        metrics: { type: PROMETHEUS_TYPE, text },
        onInternalError,
      },
    );
  }

  get launcherDescriptor(): number {
    return this.#supervisor.launcherDescriptor;
  }

  describe(): DaemonView {
    const { home, version, guardian } = this.#setup;
    return {
      pid: process.pid,
      guardian: guardian.pid,
      version,
      protocol: PROTOCOL,
      home,
      startedAt: this.#startedAt,
      node: process.version,
      ...this.#supervisor.counts,
    };
  }

  emit(event: NewEvent): void {
    const words = wordEvent(event);
    if (words !== undefined) this.#setup.log(words);
    this.#history.note(this.#events.emit(event));
    if (MAY_SERVE.has(event.type)) this.#certificates.look();
    if (event.type === 'service-created') this.#errors.watch(event.service);
    if (event.type === 'service-deleted') {
      this.#errors.forget(event.service);
      this.#samples.forget(event.service);
      this.#slow.forget(event.service);
    }
    if (event.type === 'operation' && event.status === 'running')
      setMarks(this.#known, this.#supervisor.operations.find(event.operation));
    this.#heap.noteEvent();
  }

  warn(message: string): void {
    this.emit({ type: 'warning', service: null, message });
  }

  logInternalError(error: unknown): void {
    this.#setup.log(`internal error: ${error instanceof Error ? error.stack : String(error)}`);
  }

  async begin(): Promise<void> {
    const { home, version } = this.#setup;
    await this.#supervisor.boot();
    this.#releases.begin();
    for (const { service } of this.#supervisor.logs([])) this.#errors.watch(service);
    this.#history.begin();
    this.#samples.begin();
    this.#alerts.begin();
    const wasShort = this.#alerts.openOf('disk').length > 0;
    this.#disk = new DiskWatch(home, wasShort, (event) => this.emit(event));
    this.#certificates.look();
    await this.#api.listen(join(home, 'daemon.sock'));
    await this.#openScrape();
    this.#beginExport();
    this.emit({ type: 'daemon-started', pid: process.pid, version });
  }

  /** Whoever asked for it by the environment of the daemon hears where it cannot be. */
  async #openScrape(): Promise<void> {
    const asked = process.env['UPKEEP_METRICS'];
    if (!asked) return;
    const address = parseAddress(asked);
    const failed = (fact: string): void => this.warn(`cannot serve metrics at "${asked}": ${fact}`);
    if (!address) return failed('write a port, or host:port');
    await this.#scrape.listen(address).catch((error: Error) => failed(error.message));
  }

  #scraped(): Scraped[] {
    return scrape(this.#samples, this.#history, this.#supervisor);
  }

  /** To an OpenTelemetry receiver, where the environment of the daemon names one. */
  #beginExport(): void {
    const asked = otlpOptions(process.env);
    if (!asked) return;
    if ('problem' in asked) return this.warn(`cannot export metrics: ${asked.problem}`);
    this.#otlp = new OtlpExporter(asked, {
      version: this.#setup.version,
      wall: systemClock.wall,
      random: Math.random,
      services: () => this.#scraped(),
      warn: (message) => this.warn(message),
      onInternalError: (error) => this.logInternalError(error),
    });
    this.#otlp.begin();
  }

  /** Where it could not begin: what runs goes on, and nothing of the state is touched. */
  letGo(): void {
    void this.#errors.close();
    void this.#releases.close();
    void this.#alerts.end();
    this.#endWatching();
    this.#supervisor.letGo();
    this.#events.flush();
  }

  /** Services go on running; the next daemon takes them back. Where the whole machine goes down they are ended, in order. */
  async end(reason: string, initSystem: InitSystem | undefined): Promise<void> {
    this.emit({ type: 'daemon-stopping', pid: process.pid, reason });
    await this.#api.close();
    await this.#releases.close();
    if (await initSystem?.isShuttingDown()) await this.#supervisor.standDown();
    await this.#supervisor.detach();
    await this.#errors.close();
    await this.#alerts.end();
    this.#endWatching();
    this.#events.flush();
  }

  /** Ends for one that begins at once; `but` is still to be answered. */
  async handOver(reason: string, but: Exchange): Promise<Handover> {
    this.emit({ type: 'daemon-stopping', pid: process.pid, reason });
    await this.#api.close(but);
    await this.#releases.close();
    const handover = await this.#supervisor.handOver();
    await this.#errors.close();
    await this.#alerts.end();
    this.#endWatching();
    this.#events.flush();
    return handover;
  }

  /** What looks at the machine and its services, and what tells others of it. */
  #endWatching(): void {
    this.#disk?.end();
    this.#certificates.end();
    this.#history.end();
    this.#samples.end();
    this.#scrape.close();
    this.#otlp?.end();
  }
}

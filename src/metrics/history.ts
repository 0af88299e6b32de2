/**
 * What became of each service, on disk: events go in, a report comes out. While no daemon lives nothing is written; the next one
 * says what it found alive, and dates the rest from when the one before was last seen.
 */
import { closeSync, futimesSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Level, OperationView, ServiceHistory, UpkeepEvent } from '../protocol/index.js';
import { findCredentials } from '../system/index.js';
import { reportOf, type Period } from './availability.js';
import { HistoryFile } from './history-file.js';
import type { HistoryRecord } from './record.js';
import { ServiceTrack, type InstanceNews } from './service-track.js';

/** How often it is noted that a daemon lives: what it did not say since then is unobserved. */
const HEARD_EVERY_MS = 5000;
/** What is kept of services that were deleted. */
const FORGET_AFTER_MS = 400 * 86_400_000;
const MAX_WORDS = 300;
const SUFFIX = '.jsonl';

export interface HistoryHost {
  readonly home: string;
  readonly wall: () => Date;
  readonly services: () => readonly string[];
  readonly findOperation: (id: string) => OperationView;
  readonly onInternalError: (error: unknown) => void;
}

type Explained = Extract<UpkeepEvent, { type: 'exit-explained' }>;

interface Kept {
  readonly file: HistoryFile;
  readonly track: ServiceTrack;
}

export class History {
  readonly #host: HistoryHost;
  readonly #folder: string;
  readonly #kept = new Map<string, Kept>();
  /** When the daemon before was last seen. */
  readonly #heard: number;
  #heardFile: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasBegun = false;

  constructor(host: HistoryHost) {
    this.#host = host;
    this.#folder = join(host.home, 'history');
    this.#heard = HistoryFile.touchedAt(this.#heardPath) ?? host.wall().getTime();
  }

  /** The daemon has taken back what it found. */
  begin(): void {
    this.#guard(() => {
      this.#makeFolder();
      this.#heardFile = openSync(this.#heardPath, 'w', 0o600);
      for (const name of this.#host.services()) this.#keep(name);
      for (const { file, track } of this.#kept.values()) file.append(track.settle(this.#heard));
      this.#prune();
    });
    this.#hasBegun = true;
    this.#noteHeard();
    this.#timer = setInterval(() => this.#noteHeard(), HEARD_EVERY_MS);
  }

  note(event: UpkeepEvent): void {
    this.#guard(() => this.#take(event));
  }

  level(service: string): Level {
    return this.#kept.get(service)?.track.level ?? 'off';
  }

  report(service: string, period: Period): ServiceHistory {
    return reportOf(service, this.#records(service), period);
  }

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#noteHeard();
    if (this.#heardFile !== undefined) closeSync(this.#heardFile);
    this.#heardFile = undefined;
  }

  get #heardPath(): string {
    return join(this.#folder, 'heard');
  }

  #take(event: UpkeepEvent): void {
    const at = Date.parse(event.at);
    switch (event.type) {
      case 'instance-status':
      case 'instance-adopted':
      case 'instance-exited':
      case 'instance-health':
        return this.#onNews(event);
      case 'exit-explained':
        return this.#onExplained(event, at);
      case 'operation':
        return this.#onOperation(event, at);
      case 'service-deleted':
        return this.#write(event.service, (track) => track.forget(at));
      default:
        return undefined;
    }
  }

  #onNews(event: InstanceNews): void {
    this.#write(event.service, (track) => track.note(event));
  }

  #onExplained({ service, instance: i, attempt: a, summary, confidence }: Explained, t: number): void {
    if (confidence === 'unknown') return;
    this.#write(service, () => [{ k: 'explained', t, i, a, words: summary.slice(0, MAX_WORDS) }]);
  }

  #onOperation(
    { operation: id, kind, status, services }: Extract<UpkeepEvent, { type: 'operation' }>,
    at: number,
  ): void {
    if (status === 'queued') return;
    const by = status === 'running' ? whoAsked(this.#host.findOperation(id)) : null;
    for (const service of services)
      this.#write(service, (track) =>
        status === 'running' ? track.begin({ id, kind, by }, at) : track.end(id, at),
      );
  }

  #write(service: string, step: (track: ServiceTrack) => HistoryRecord[]): void {
    const { file, track } = this.#keep(service);
    file.append(step(track));
  }

  #keep(service: string): Kept {
    const known = this.#kept.get(service);
    if (known) return known;
    this.#makeFolder();
    const file = new HistoryFile(join(this.#folder, `${service}${SUFFIX}`));
    const level = file.read().findLast((record) => record.k === 'level')?.to;
    const kept = { file, track: new ServiceTrack(level, this.#hasBegun) };
    this.#kept.set(service, kept);
    return kept;
  }

  #records(service: string): HistoryRecord[] {
    const known = this.#kept.get(service)?.file ?? new HistoryFile(join(this.#folder, `${service}${SUFFIX}`));
    return known.read();
  }

  #makeFolder(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  #noteHeard(): void {
    const now = this.#host.wall();
    this.#guard(() => this.#heardFile !== undefined && futimesSync(this.#heardFile, now, now));
  }

  #prune(): void {
    const known = new Set(this.#host.services());
    const oldest = this.#host.wall().getTime() - FORGET_AFTER_MS;
    for (const name of readdirSync(this.#folder)) {
      const [service] = name.split(SUFFIX);
      const path = join(this.#folder, name);
      if (name.includes(SUFFIX) && !known.has(service!) && (HistoryFile.touchedAt(path) ?? 0) < oldest)
        rmSync(path, { force: true });
    }
  }

  /** A full disk must not end the daemon, nor what it does for services. */
  #guard(step: () => unknown): void {
    try {
      step();
    } catch (error) {
      this.#host.onInternalError(error);
    }
  }
}

/** null: upkeep itself. */
function whoAsked({ requester }: OperationView): string | null {
  const { command, service, instance, uid } = requester;
  if (command?.startsWith('upkeep daemon')) return null;
  if (service !== null) return `${service}.${instance}`;
  return uid === null ? 'somebody' : (findCredentials(String(uid), null)?.name ?? `uid ${uid}`);
}

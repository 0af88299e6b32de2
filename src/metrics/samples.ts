/**
 * What was measured of each service, every ten seconds, on disk: rolled up to minutes and hours from what lies there, so a daemon
 * that is killed in between leaves no hole that the next one could have filled.
 */
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Level, ServiceView } from '../protocol/index.js';
import type { Period } from './availability.js';
import type { Scraped } from './families.js';
import { add } from './histogram.js';
import { namesIn } from '../system/index.js';
import { PACES, RingFile, slotOf } from './ring-file.js';
import { decode, encode, merge, SAMPLE_BYTES, type Sample } from './sample.js';
import { readAnswers, type Answers } from './traffic.js';

const [FINE] = PACES;
/** Two minutes: what `upkeep top` draws. */
const KEPT_IN_MEMORY = 12;
const OF_FINE = `.${FINE.seconds}s`;

/** The present state of a service, and what happened in it since it was asked before. */
export type Measurement = Omit<Sample, 'at' | 'seconds'> & { readonly durationMs: number };
export type Total = Pick<Measurement, 'requests' | 'errors' | 'durationMs' | 'latency'>;

const NOTHING: Total = { requests: 0, errors: 0, durationMs: 0, latency: [] };

export interface SamplesHost {
  readonly home: string;
  readonly wall: () => Date;
  readonly measure: () => Promise<ReadonlyMap<string, Measurement>>;
  readonly onInternalError: (error: unknown) => void;
}

export class Samples {
  readonly #host: SamplesHost;
  readonly #kept = new Map<string, Kept>();
  readonly #totals = new Map<string, Total>();
  #timer: NodeJS.Timeout | undefined;
  #isMeasuring = false;
  #lastAt: number;

  constructor(host: SamplesHost) {
    this.#host = host;
    this.#lastAt = this.#now();
  }

  begin(): void {
    // What a former daemon has not rolled up any more, also of services that are at rest.
    for (const name of namesIn(this.#folder))
      if (name.endsWith(OF_FINE)) this.#keep(name.slice(0, -OF_FINE.length));
    this.#await();
  }

  #await(): void {
    const paceMs = FINE.seconds * 1000;
    // At the beginning of each slot: shortly before it processes say what they count (src/supervisor/metrics-line.ts).
    const leftMs = paceMs - (this.#host.wall().getTime() % paceMs);
    this.#timer = setTimeout(
      () => {
        this.#await();
        void this.#tick();
      },
      leftMs < paceMs / 4 ? leftMs + paceMs : leftMs,
    );
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The latest, oldest first. */
  recent(service: string): readonly Sample[] {
    return this.#kept.get(service)?.recent.all() ?? [];
  }

  /** Since this daemon began. */
  total(service: string): Total {
    return this.#totals.get(service) ?? NOTHING;
  }

  /** Of a time, seconds, by the finest pace that reaches back so far; oldest first. */
  read(service: string, from: number, to: number): Sample[] {
    const now = this.#now();
    const pace = PACES.find(({ seconds, slots }) => now - from <= seconds * (slots - 1)) ?? PACES[2];
    return this.#ring(service, pace).read(from, to);
  }

  /** What it has answered. Milliseconds. */
  answers(service: string, { since, until }: Period): Answers {
    const span = { from: Math.ceil(since / 1000), to: Math.ceil(until / 1000) };
    return readAnswers(this.#path(service), span, this.#now());
  }

  /** `views`: of the services that there are. */
  scrape(views: readonly ServiceView[], levelOf: (service: string) => Level): Scraped[] {
    return views.map((view) => ({
      view,
      level: levelOf(view.name),
      sample: this.recent(view.name).at(-1),
      total: this.total(view.name),
    }));
  }

  forget(service: string): void {
    this.#kept.delete(service);
    this.#totals.delete(service);
    for (const pace of PACES) rmSync(this.#ring(service, pace).path, { force: true });
  }

  async #tick(): Promise<void> {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    try {
      const measured = await this.#host.measure();
      if (this.#timer !== undefined) this.#write(measured);
    } catch (error) {
      this.#host.onInternalError(error);
    } finally {
      this.#isMeasuring = false;
    }
  }

  #write(measured: ReadonlyMap<string, Measurement>): void {
    const now = this.#now();
    const at = slotOf(now, FINE);
    const seconds = Math.min(FINE.seconds, Math.max(1, now - this.#lastAt));
    this.#lastAt = now;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const [service, measurement] of measured) {
      if (measurement.requests > 0) this.#totals.set(service, plus(this.total(service), measurement));
      this.#keep(service).recent.add(encode({ ...measurement, at, seconds }));
    }
    const failures: unknown[] = [];
    for (const [service, kept] of this.#kept)
      try {
        if (measured.has(service)) kept.rings[0].writeBytes(at, kept.recent.latest());
        rollUp(kept, at);
        if (measured.has(service)) kept.lastAt = at;
      } catch (error) {
        failures.push(error); // as where the disk is full: what is in memory goes on, that of others, too
      }
    if (failures.length > 0) throw failures[0];
  }

  #keep(service: string): Kept {
    const known = this.#kept.get(service);
    if (known) return known;
    const rings = ringsOf(this.#path(service));
    const kept = { recent: new Recent(), rings, lastAt: writtenAt(rings[0].path) ?? this.#now(), rolled: [] };
    this.#kept.set(service, kept);
    return kept;
  }

  #ring(service: string, pace: (typeof PACES)[number]): RingFile {
    return new RingFile(this.#path(service), pace);
  }

  #path(service: string): string {
    return join(this.#folder, service);
  }

  get #folder(): string {
    return join(this.#host.home, 'history');
  }

  #now(): number {
    return Math.floor(this.#host.wall().getTime() / 1000);
  }
}

interface Kept extends Rollable {
  readonly recent: Recent;
}

interface Rollable {
  readonly rings: Rings;
  /** When the last sample was taken, seconds. */
  lastAt: number;
  /** The slots that were rolled up last, by the index of their pace. */
  readonly rolled: number[];
}

/** Of PACES. */
type Rings = readonly [RingFile, RingFile, RingFile];

/** As they lie on disk: hundreds of services have a quarter of the memory that objects would take. */
class Recent {
  readonly #bytes = Buffer.alloc(KEPT_IN_MEMORY * SAMPLE_BYTES);
  #count = 0;

  /** Of a sample that was encoded. */
  add(sample: Buffer): void {
    sample.copy(this.#bytes, (this.#count++ % KEPT_IN_MEMORY) * SAMPLE_BYTES);
  }

  /** As it was encoded. */
  latest(): Buffer {
    const from = ((this.#count - 1) % KEPT_IN_MEMORY) * SAMPLE_BYTES;
    return this.#bytes.subarray(from, from + SAMPLE_BYTES);
  }

  /** Oldest first. */
  all(): Sample[] {
    const length = Math.min(this.#count, KEPT_IN_MEMORY);
    return Array.from({ length }, (_, index) => this.#at(this.#count - length + index));
  }

  #at(index: number): Sample {
    const from = (index % KEPT_IN_MEMORY) * SAMPLE_BYTES;
    return decode(this.#bytes.subarray(from, from + SAMPLE_BYTES))!;
  }
}

function plus(a: Total, b: Total): Total {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    durationMs: a.durationMs + b.durationMs,
    latency: add(a.latency, b.latency),
  };
}

function ringsOf(path: string): Rings {
  const [fine, middle, coarse] = PACES;
  return [new RingFile(path, fine), new RingFile(path, middle), new RingFile(path, coarse)];
}

/** `lastAt`: when the sample before was taken, seconds. */
export function writeThrough(path: string, sample: Sample, lastAt: number): void {
  const rings = ringsOf(path);
  rings[0].write(sample);
  rollUp({ rings, lastAt, rolled: [] }, sample.at);
}

/** The slots of its last sample, from the finer pace, where they have ended by now. */
function rollUp({ rings, lastAt, rolled }: Rollable, now: number): void {
  for (let index = 1; index < rings.length; index++) {
    const coarse = rings[index]!;
    const slot = slotOf(lastAt, coarse.pace);
    if (slot === slotOf(now, coarse.pace)) return;
    if (rolled[index] === slot) continue;
    const merged = merge(slot, rings[index - 1]!.read(slot, slot + coarse.pace.seconds));
    if (merged) coarse.write(merged);
    rolled[index] = slot;
  }
}

/** Seconds; undefined: nothing was written yet. */
function writtenAt(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && Math.floor(stat.mtimeMs / 1000);
}

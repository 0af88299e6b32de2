/**
 * What was measured of each service, every ten seconds, on disk: rolled up to minutes and hours from what lies there, so a daemon
 * that is killed in between leaves no hole that the next one could have filled.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Level, ServiceView } from '../protocol/index.js';
import type { Period } from './availability.js';
import type { Scraped } from './families.js';
import { add } from './histogram.js';
import { PACES, RingFile, slotOf } from './ring-file.js';
import { decode, encode, merge, SAMPLE_BYTES, type Sample } from './sample.js';
import { readAnswers, type Answers } from './traffic.js';

const [FINE] = PACES;
/** Two minutes: what `upkeep top` draws. */
const KEPT_IN_MEMORY = 12;

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
  readonly #recent = new Map<string, Recent>();
  readonly #totals = new Map<string, Total>();
  #timer: NodeJS.Timeout | undefined;
  #isMeasuring = false;
  #lastAt: number;

  constructor(host: SamplesHost) {
    this.#host = host;
    this.#lastAt = this.#now();
  }

  begin(): void {
    const paceMs = FINE.seconds * 1000;
    // At the beginning of each slot: shortly before it processes say what they count (src/supervisor/metrics-line.ts).
    const leftMs = paceMs - (this.#host.wall().getTime() % paceMs);
    this.#timer = setTimeout(
      () => {
        this.begin();
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
    return this.#recent.get(service)?.all() ?? [];
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
    this.#recent.delete(service);
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
    const lastAt = this.#lastAt;
    this.#lastAt = now;
    mkdirSync(join(this.#host.home, 'history'), { recursive: true, mode: 0o700 });
    const failures: unknown[] = [];
    for (const [service, measurement] of measured) {
      if (measurement.requests > 0) this.#totals.set(service, plus(this.total(service), measurement));
      const sample: Sample = { ...measurement, at, seconds };
      const recent = this.#recent.get(service) ?? new Recent();
      recent.add(sample);
      this.#recent.set(service, recent);
      try {
        writeThrough(this.#path(service), sample, lastAt);
      } catch (error) {
        failures.push(error); // as where the disk is full: what is in memory goes on, that of others, too
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #ring(service: string, pace: (typeof PACES)[number]): RingFile {
    return new RingFile(this.#path(service), pace);
  }

  #path(service: string): string {
    return join(this.#host.home, 'history', service);
  }

  #now(): number {
    return Math.floor(this.#host.wall().getTime() / 1000);
  }
}

/** As they lie on disk: hundreds of services have a quarter of the memory that objects would take. */
class Recent {
  readonly #bytes = Buffer.alloc(KEPT_IN_MEMORY * SAMPLE_BYTES);
  #count = 0;

  add(sample: Sample): void {
    encode(sample).copy(this.#bytes, (this.#count++ % KEPT_IN_MEMORY) * SAMPLE_BYTES);
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

/** `lastAt`: when the sample before was taken, seconds. What has ended since then is rolled up, from the finer pace. */
export function writeThrough(path: string, sample: Sample, lastAt: number): void {
  new RingFile(path, FINE).write(sample);
  for (let index = 1; index < PACES.length; index++) {
    const coarse = PACES[index]!;
    const slot = slotOf(lastAt, coarse);
    if (slot === slotOf(sample.at, coarse)) return;
    const finer = new RingFile(path, PACES[index - 1]!).read(slot, slot + coarse.seconds);
    const merged = merge(slot, finer);
    if (merged) new RingFile(path, coarse).write(merged);
  }
}

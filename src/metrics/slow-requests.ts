/**
 * The slowest requests of each service, in history/<service>.slowest: of each hour those that were among its slowest when they came, of
 * each method and path one.
 * What the preload says of them is what an application was asked: it is checked, and masked, before it is kept.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { TrafficView } from '../protocol/index.js';
import { RolledFile } from '../system/index.js';
import { formatLines, maskPath } from '../util/index.js';
import type { Period } from './availability.js';

/** Of each of the two files. */
export const MAX_SLOW_BYTES = 512 * 1024;
const HOUR_MS = 3_600_000;
const KEPT_IN_AN_HOUR = 5;
const SHOWN = 5;
const MAX_PATH = 200;
const NOT_TO_PRINT = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

const Slow = v.object({
  at: v.pipe(v.number(), v.integer()),
  method: v.pipe(v.string(), v.regex(/^[\w-]{1,20}$/)),
  path: v.pipe(v.string(), v.startsWith('/')),
  status: v.pipe(v.number(), v.integer()),
  ms: v.pipe(v.number(), v.finite()),
});
type Slow = v.InferOutput<typeof Slow>;

export interface SlowRequestsHost {
  readonly home: string;
  readonly onInternalError: (error: unknown) => void;
}

/** Of one service. */
interface Kept {
  readonly file: RolledFile;
  /** The present one, hours since the epoch. */
  hour: number;
  /** In it, milliseconds by method and path. */
  slowest: Map<string, number>;
}

export class SlowRequests {
  readonly #host: SlowRequestsHost;
  readonly #folder: string;
  readonly #kept = new Map<string, Kept>();

  constructor(host: SlowRequestsHost) {
    this.#host = host;
    this.#folder = join(host.home, 'history');
  }

  /** `said`: by preloads; `at`: now, milliseconds since the epoch. */
  note(service: string, said: readonly unknown[], at: number): void {
    if (said.length === 0) return;
    const kept = this.#keep(service);
    const requests = said.flatMap((each) => {
      const { success, output } = v.safeParse(Slow, each);
      const request = success && tidy(output);
      return request && isAmongSlowest(kept, request, at) ? [request] : [];
    });
    if (requests.length === 0) return;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      kept.file.append(formatLines(requests));
    } catch (error) {
      this.#host.onInternalError(error); // as where the disk is full
    }
  }

  /** Of each method and path the slowest one, that one first. */
  find(service: string, { since, until }: Period): TrafficView['slowestRequests'] {
    const all = this.#keep(service)
      .file.values()
      .flatMap((line) => {
        const { success, output } = v.safeParse(Slow, line);
        return success && output.at >= since && output.at < until ? [output] : [];
      });
    all.sort((a, b) => a.ms - b.ms);
    const ofPaths = new Map(all.map((each) => [`${each.method} ${each.path}`, each]));
    return [...ofPaths.values()]
      .sort((a, b) => b.ms - a.ms)
      .slice(0, SHOWN)
      .map((each) => ({ ...each, at: new Date(each.at).toISOString() }));
  }

  forget(service: string): void {
    this.#kept.delete(service);
    for (const path of [this.#path(service), `${this.#path(service)}.1`]) rmSync(path, { force: true });
  }

  #path(service: string): string {
    return join(this.#folder, `${service}.slowest`);
  }

  #keep(service: string): Kept {
    const known = this.#kept.get(service);
    if (known) return known;
    const kept = {
      file: new RolledFile(this.#path(service), MAX_SLOW_BYTES),
      hour: 0,
      slowest: new Map<string, number>(),
    };
    this.#kept.set(service, kept);
    return kept;
  }
}

function isAmongSlowest(kept: Kept, request: Slow, now: number): boolean {
  const { ms, at: said } = request;
  if (Math.abs(now - said) > HOUR_MS) return false; // a clock of its own
  const hour = Math.floor(now / HOUR_MS);
  if (hour !== kept.hour) {
    kept.hour = hour;
    kept.slowest = new Map();
  }
  const key = `${request.method} ${request.path}`;
  const known = kept.slowest.get(key) ?? 0;
  if (ms <= known) return false;
  if (known === 0 && kept.slowest.size >= KEPT_IN_AN_HOUR) {
    const [least, leastMs] = [...kept.slowest].reduce((a, b) => (b[1] < a[1] ? b : a));
    if (ms <= leastMs) return false;
    kept.slowest.delete(least);
  }
  kept.slowest.set(key, ms);
  return true;
}

function tidy({ path, ms, ...rest }: Slow): Slow {
  const plain = path.replace(NOT_TO_PRINT, ' ');
  // The preload cuts it there, too: what is left of a part no longer looks like the secret that it may be.
  const whole = plain.length < MAX_PATH ? plain : plain.slice(0, MAX_PATH).replace(/[^/]*$/, '…');
  return { ...rest, path: maskPath(whole), ms: Math.round(ms * 10) / 10 };
}

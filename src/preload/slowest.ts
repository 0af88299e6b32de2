/** The few requests that took longest since upkeep asked before. All others are compared with the least of them, and that is all. */
import type { SlowRequest } from '../protocol/index.js';
import { attempt } from './attempt.js';

const KEPT = 5;
/** Faster than this is not slow, whatever the others are. */
const FLOOR_MS = 1;
const MAX_PATH = 200;
const ORIGIN = /^[a-z][\w+.-]*:\/\/[^/]*/i;
/** Where what may be secret begins. */
const BEHIND_PATH = /[?#;]/;
const { now } = Date;

/** What Node 15.7 and newer have of it. */
export interface Answered {
  readonly statusCode: number;
  readonly req?: { readonly method?: string; readonly url?: string; readonly originalUrl?: string };
}

export class Slowest {
  /** Who took no longer than this is none of them. */
  leastMs = FLOOR_MS;
  private kept: SlowRequest[] = [];

  keep({ req, statusCode }: Answered, ms: number): void {
    if (!req) {
      this.leastMs = Infinity; // an older Node: do not ask again for each request
      return;
    }
    attempt(() => {
      const path = pathOf(req.originalUrl || req.url || '');
      this.kept.push({ at: now(), method: req.method || '', path, status: statusCode, ms });
      this.kept.sort((a, b) => b.ms - a.ms);
      this.kept.length = Math.min(this.kept.length, KEPT);
      if (this.kept.length === KEPT) this.leastMs = this.kept[KEPT - 1]!.ms;
    });
  }

  take(): readonly SlowRequest[] {
    const { kept } = this;
    this.kept = [];
    this.leastMs = FLOOR_MS;
    return kept;
  }
}

/** Routers cut `url` as they go down; express and others keep the whole. */
function pathOf(url: string): string {
  const [path = ''] = url.replace(ORIGIN, '').split(BEHIND_PATH);
  return path.slice(0, MAX_PATH) || '/';
}

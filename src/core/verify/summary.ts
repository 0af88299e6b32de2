/** All looks at one service, added up. */
import type { Tally } from './fisher.js';
import type { InstanceLook, Look, NewErrorKind, ServiceLook } from './look.js';
import type { MemoryPoint } from './memory-rise.js';

/** What has just begun is slow for a while; what is compared comes after this, or after a third of all there is. */
const WARM_UP_MS = 10_000;
/** For what has to be seen now, even where much good went before. */
const RECENT_MS = 10_000;
/** Medians that are compared: the latest ones. */
const MAX_MEDIANS = 300;

export interface Side {
  readonly tally: Tally;
  readonly recent: Tally;
  /** At the last look: in progress, and without a word for five seconds. */
  readonly unanswered: number;
  /** Of each look where both sides were asked something. */
  readonly medians: readonly number[];
  readonly instances: readonly InstanceLook[];
  readonly memory: ReadonlyMap<string, readonly MemoryPoint[]>;
}

export interface ServiceSummary {
  readonly service: string;
  readonly old: Side;
  readonly new: Side;
  /** Whether either side has ever counted requests. */
  readonly isCounted: boolean;
  readonly kinds: readonly NewErrorKind[];
}

export function summarize(service: string, looks: readonly Look[]): ServiceSummary {
  const seen: Seen[] = [];
  for (const { atMs, services } of looks) {
    const look = services[service];
    if (look) seen.push({ atMs, look });
  }
  const endMs = seen.at(-1)?.atMs ?? 0;
  const warmMs = Math.min(WARM_UP_MS, endMs / 3);
  const both = ({ atMs, look }: Seen): boolean =>
    atMs > warmMs && look.old.medianMs !== null && look.new.medianMs !== null;
  const course = {
    seen,
    recent: seen.filter(({ atMs }) => atMs > endMs - RECENT_MS),
    compared: seen.filter(both).slice(-MAX_MEDIANS),
  };
  return {
    service,
    old: sideOf('old', course),
    new: sideOf('new', course),
    isCounted: seen.some(({ look }) => look.old.requests !== null || look.new.requests !== null),
    kinds: seen.at(-1)?.look.kinds ?? [],
  };
}

interface Seen {
  readonly atMs: number;
  readonly look: ServiceLook;
}

interface Course {
  readonly seen: readonly Seen[];
  readonly recent: readonly Seen[];
  /** Where both sides were asked something. */
  readonly compared: readonly Seen[];
}

function sideOf(side: 'old' | 'new', { seen, recent, compared }: Course): Side {
  return {
    tally: tallyOf(seen, side),
    recent: tallyOf(recent, side),
    unanswered: seen.at(-1)?.look[side].unanswered ?? 0,
    medians: compared.map(({ look }) => look[side].medianMs!),
    instances: seen.at(-1)?.look[side].instances ?? [],
    memory: memoryOf(seen, side),
  };
}

function tallyOf(seen: readonly Seen[], side: 'old' | 'new'): Tally {
  let [failed, total] = [0, 0];
  for (const { look } of seen) {
    const { errors, requests } = look[side];
    failed += errors;
    total += Math.max(errors, requests ?? 0);
  }
  return { failed, total };
}

function memoryOf(seen: readonly Seen[], side: 'old' | 'new'): ReadonlyMap<string, readonly MemoryPoint[]> {
  const points = new Map<string, MemoryPoint[]>();
  for (const { atMs, look } of seen) {
    for (const { name, rssBytes } of look[side].instances) {
      if (rssBytes === null) continue;
      const known = points.get(name);
      if (known) known.push({ atMs, bytes: rssBytes });
      else points.set(name, [{ atMs, bytes: rssBytes }]);
    }
  }
  return points;
}

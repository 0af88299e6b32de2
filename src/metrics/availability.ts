/**
 * From the records of a service to what a report says of it. Pure.
 *
 * An incident begins when a service that should serve does not do so with all its instances, and ends when it does again and
 * stays so for STABLE_MS: a crash loop is one incident, however often it comes up for a moment. It also ends where the service is
 * switched off, or nobody knows any more.
 */
import type { IncidentView, Level, ServiceHistory, Spread } from '../protocol/index.js';
import type { Fault, HistoryRecord } from './record.js';

/** Up for less, and down again: the same incident. */
export const STABLE_MS = 5000;
/** Requests that reach a process in the moment of its death are put down to it. */
const NEAR_MS = 1000;
const NO_INTERVENTION = new Set(['up', 'delete', 'release']);

export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly level: Level;
}

export interface Period {
  readonly since: number;
  /** Not in the future. */
  readonly until: number;
}

export function reportOf(service: string, records: readonly HistoryRecord[], period: Period): ServiceHistory {
  const { since, until } = period;
  const stretches = stretchesOf(records, until);
  const within = stretches.flatMap((stretch) => clip(stretch, period));
  const sum = (level: Level): number =>
    within.reduce((total, { level: its, from, to }) => (its === level ? total + to - from : total), 0);
  const [upMs, degradedMs, downMs] = [sum('up'), sum('degraded'), sum('down')];
  const observed = upMs + degradedMs + downMs;
  const incidents = incidentsOf(service, stretches, records)
    .filter(({ start, end }) => start < until && (end ?? until) > since)
    .map((incident) => incident.view);
  const unplanned = incidents.filter(({ isPlanned }) => !isPlanned);
  const isWithin = ({ t }: HistoryRecord): boolean => t >= since && t < until;
  const [first] = within;
  return {
    service,
    since: first ? iso(first.from) : null,
    availability: observed === 0 ? null : (upMs + degradedMs) / observed,
    upMs,
    degradedMs,
    downMs,
    offMs: sum('off'),
    unobservedMs: sum('unobserved'),
    incidents,
    unplanned: unplanned.length,
    detectMs: spread(unplanned.map(({ startedAt, detectedAt }) => between(startedAt, detectedAt))),
    repairMs: spread(unplanned.map(({ startedAt, endedAt }) => between(startedAt, endedAt))),
    restarts: records.filter((record) => record.k === 'restart' && isWithin(record)).length,
    interventions: interventionsIn(records.filter(isWithin)),
  };
}

/** In order and without gaps, from the first record to `until`. */
export function stretchesOf(records: readonly HistoryRecord[], until: number): Stretch[] {
  const levels = records.filter((record) => record.k === 'level' && record.t < until) as Extract<
    HistoryRecord,
    { k: 'level' }
  >[];
  levels.sort((a, b) => a.t - b.t);
  return levels.flatMap(({ t: from, to: level }, index) => {
    const to = levels[index + 1]?.t ?? until;
    return to > from ? [{ from, to, level }] : [];
  });
}

interface Incident {
  readonly start: number;
  readonly end: number | null;
  readonly view: IncidentView;
}

function incidentsOf(
  service: string,
  stretches: readonly Stretch[],
  records: readonly HistoryRecord[],
): Incident[] {
  const faults = records.filter((record): record is Fault => record.k === 'fault').sort((a, b) => a.t - b.t);
  return groups(stretches).map((group) => {
    const start = group[0]!.from;
    const last = group.at(-1)!;
    const isOver = last !== stretches.at(-1);
    const bad = group.filter(({ level }) => level !== 'up');
    const fault = faultOf(faults, start, last.to);
    return { start, end: isOver ? last.to : null, view: viewOf() };

    function viewOf(): IncidentView {
      const isPlanned = fault?.kind === 'operator' || fault?.kind === 'upkeep';
      const isOwnDoing = fault?.kind === 'memory' || fault?.kind === 'not-ready';
      return {
        service,
        startedAt: iso(start),
        detectedAt: fault && !isPlanned ? iso(isOwnDoing ? start : Math.max(start, fault.heard)) : null,
        endedAt: isOver ? iso(last.to) : null,
        worst: bad.some(({ level }) => level === 'down') ? 'down' : 'degraded',
        downMs: bad.reduce((total, { level, from, to }) => (level === 'down' ? total + to - from : total), 0),
        times: countOutages(group),
        cause: fault?.kind ?? 'unknown',
        words: fault ? wordsOf(fault, records) : 'nothing tells why',
        instance: fault?.i ?? null,
        attempt: fault?.a ?? null,
        isPlanned,
      };
    }
  });
}

/** The first one; a probe may notice a death before it is reported. */
function faultOf(faults: readonly Fault[], start: number, end: number): Fault | undefined {
  const within = faults.filter(({ t }) => t >= start - NEAR_MS && t <= end);
  const [first] = within;
  if (first?.kind !== 'unhealthy') return first;
  const death = within.find(({ kind, i, a }) => kind === 'crash' && i === first.i && a === first.a);
  return death ? { ...death, heard: Math.min(death.heard, first.heard) } : first;
}

/** What was found out about it, where that is more. */
function wordsOf(fault: Fault, records: readonly HistoryRecord[]): string {
  const explained = records.findLast(
    (record) =>
      record.k === 'explained' && record.i === fault.i && record.a === fault.a && record.t >= fault.t,
  );
  const isOpen = fault.kind === 'crash' || fault.kind === 'unknown';
  return isOpen && explained?.k === 'explained' ? explained.words : fault.words;
}

/** Stretches that are degraded or down, with the short ones in between that are up; each group ends with a bad one. */
function groups(stretches: readonly Stretch[]): Stretch[][] {
  const all: Stretch[][] = [];
  let open: Stretch[] | undefined;
  let pause: Stretch[] = [];
  for (const stretch of stretches) {
    const { level, from, to } = stretch;
    if (level === 'up' && open && to - from < STABLE_MS) pause.push(stretch);
    else if (level === 'degraded' || level === 'down') {
      if (!open) all.push((open = []));
      open.push(...pause, stretch);
      pause = [];
    } else {
      open = undefined;
      pause = [];
    }
  }
  return all;
}

function countOutages(group: readonly Stretch[]): number {
  return group.filter(({ level }, index) => level !== 'up' && (group[index - 1]?.level ?? 'up') === 'up')
    .length;
}

function interventionsIn(records: readonly HistoryRecord[]): number {
  const asked = records.flatMap((record) =>
    record.k === 'operation' && !NO_INTERVENTION.has(record.kind) ? [record.id] : [],
  );
  return new Set(asked).size; // what a daemon took up again is the same
}

function clip({ from, to, level }: Stretch, { since, until }: Period): Stretch[] {
  const clipped = { from: Math.max(from, since), to: Math.min(to, until), level };
  return clipped.to > clipped.from ? [clipped] : [];
}

function between(from: string, to: string | null): number | null {
  return to === null ? null : Date.parse(to) - Date.parse(from);
}

/** The nearest of those that there are, so each figure is one that was measured. */
export function spread(values: readonly (number | null)[]): Spread {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number): number | null => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
  return { median: at(0.5), p95: at(0.95) };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

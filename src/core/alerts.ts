/**
 * Decides which notices an alert sends: the first of its kind at once, more of the same together after a while, and that
 * it is over once it has stayed over for some time.
 *
 *   happened ─▶ told ── more of it, within `repeatMs` ─▶ counted ── `repeatMs` after the last notice ─▶ told ("still")
 *   began    ─▶ told ── goes on ────────────────────────────────────────────────────────────────────▶ told ("still")
 *                 ├── over for CALM_MS ─▶ told ("recovered"), forgotten
 *                 └── nobody looks any more, for CALM_MS ─▶ forgotten
 */
import { formatBytes } from '../util/index.js';
import { nameOf } from './certificate.js';
import type { AlertKind, AlertSpec, Failure, OperationView, UpkeepEvent } from '../protocol/index.js';

/** A crash loop, and a check that fails now and then, look as if they were over in between. */
export const CALM_MS = 30_000;

/** What lasts for hours or days is not told again before, whatever `repeat` says. */
const SLOW_MS: Partial<Record<AlertKind, number>> = {
  'memory-growing': 6 * 3_600_000,
  certificate: 86_400_000,
};

type ReleaseEvent = Extract<UpkeepEvent, { type: 'release' }>;

/** What an event means to whoever wants to be told. */
export interface Problem {
  readonly kind: AlertKind;
  readonly service: string | null;
  readonly instance: number | null;
  /** Problems of a kind with the same key are the same problem. */
  readonly key: string;
  readonly state: 'happened' | 'began' | 'over' | 'unwatched';
  readonly detail: string;
  /** Who began it says no more when the attempt has ended; and over is only what such a one has begun. */
  readonly isOfAttempt?: true;
}

interface Known {
  readonly kind: AlertKind;
  readonly service: string | null;
  readonly instance: number | null;
  readonly detail: string;
  /** Wall clock, milliseconds, as all times here: it is kept across restarts of the daemon. */
  readonly since: number;
  readonly toldAt: number;
  readonly untold: number;
  readonly isOpen: boolean;
  /** Since when it looks as if it were over. */
  readonly overAt: number | null;
  /** It only looks so because nobody looks any more: nobody is told that it were well. */
  readonly isUnwatched?: boolean;
  /** It ends with the attempt. */
  readonly isOfAttempt?: boolean;
}

/** What an alert has told, by the name of the alert and the key of the problem. */
export type AlertBook = Readonly<Record<string, Readonly<Record<string, Known>>>>;

/** A notice, not worded yet. */
export interface Told extends Pick<Known, 'kind' | 'service' | 'instance' | 'detail' | 'since'> {
  readonly alert: string;
  readonly phase: 'problem' | 'still' | 'recovered';
  readonly count: number;
}

export interface AlertStep {
  readonly book: AlertBook;
  readonly told: readonly Told[];
}

/** What ends an instance that upkeep itself ends because it is not worth living. */
const NOT_FIT = /^upkeep: (?:not ready within|memory limit)/;

/** Those of an instance, which end with it. */
const OF_INSTANCE = ['crash-loop', 'unhealthy'] as const;

/** Nothing where nobody is told of it. */
export function problemsOf(event: UpkeepEvent): readonly Problem[] {
  if (event.type === 'instance-status') return problemsOfStatus(event);
  if (event.type === 'release') return problemsOfRelease(event);
  const problem = problemOf(event);
  return problem ? [problem] : [];
}

/** What is at rest has no problem any more, and is not well either. */
function problemsOfStatus(event: Extract<UpkeepEvent, { type: 'instance-status' }>): Problem[] {
  const { to, instance } = event;
  const tell = (kind: AlertKind, state: Problem['state'], detail: string): Problem => ({
    ...of(event),
    ...{ kind, key: `${instance}`, state, detail },
  });
  if (to === 'crashed') return [tell('crash-loop', 'began', 'a crash loop')];
  if (to === 'running')
    return [
      tell('crash-loop', 'over', 'it runs'),
      { ...tell('unhealthy', 'over', 'it runs'), isOfAttempt: true },
    ];
  const isAtRest = to === 'stopped' || to === 'completed';
  return isAtRest ? OF_INSTANCE.map((kind) => tell(kind, 'unwatched', 'it is at rest')) : [];
}

/** One for each service of its group. */
function problemsOfRelease({ release, kind, status, reason, services }: ReleaseEvent): Problem[] {
  // Without a reason somebody has aborted it.
  if (kind === 'plan' || reason === null || (status !== 'failed' && status !== 'rolled-back')) return [];
  const detail = `${kind} ${release} ${status === 'failed' ? 'failed' : 'was rolled back'}: ${reason}`;
  const problem = { kind: 'operation-failed', instance: null, key: `release ${release}`, detail } as const;
  return services.map((service) => ({ ...problem, service, state: 'happened' }));
}

function problemOf(event: UpkeepEvent): Problem | undefined {
  switch (event.type) {
    case 'instance-exited': {
      const { kind, code, askedBy, reason, error } = event.exit;
      const isFailure = askedBy === null ? kind !== 'exited' || code !== 0 : NOT_FIT.test(askedBy);
      const words = error ? `${error.type === null ? '' : `${error.type}: `}${error.message}` : reason;
      const detail = error?.at ? `${words} (${error.at})` : words;
      return isFailure ? { ...of(event), kind: 'crash', key: '', state: 'happened', detail } : undefined;
    }
    case 'instance-health': {
      const { healthy, instance, detail, probe } = event;
      const state = healthy ? 'over' : 'began';
      // A health check says of each attempt how it is; a hang, and a server that is lost, are no more.
      const more = probe !== undefined && !healthy ? ({ isOfAttempt: true } as const) : {};
      return { ...of(event), kind: 'unhealthy', key: `${instance}`, state, detail, ...more };
    }
    case 'error-kind-new':
      return { ...of(event), kind: 'new-error', key: event.id, state: 'happened', detail: event.title };
    case 'memory-growth': {
      const { bytesPerHour, bound, reachedAt, rssBytes } = event;
      const end = bound === 'limit' ? 'its limit' : 'the end of what the machine has';
      const pace = `by ${formatBytes(bytesPerHour)} an hour, is at ${formatBytes(rssBytes)}`;
      const detail = `${pace}, and reaches ${end} at ${reachedAt ?? 'no time'}`;
      const state = event.isGrowing ? 'began' : 'over';
      return { ...of(event), kind: 'memory-growing', key: '', state, detail };
    }
    case 'certificate': {
      const { subject = 'nobody', expiresAt = event.at } = event.shown ?? {};
      const key = nameOf(event);
      const verb = Date.parse(expiresAt) <= Date.parse(event.at) ? 'expired' : 'expires';
      const detail = `the one for ${subject} at ${key} ${verb} on ${expiresAt}`;
      const state = event.isExpiring ? 'began' : event.shown ? 'over' : 'unwatched';
      return { ...of(event), kind: 'certificate', key, state, detail };
    }
    case 'disk': {
      const [free, total] = [formatBytes(event.freeBytes), formatBytes(event.totalBytes)];
      const detail = `${free} of ${total} and ${event.freeInodes} inodes are free at ${event.path}`;
      const state = event.isShort ? 'began' : 'over';
      return { kind: 'disk', service: null, instance: null, key: '', state, detail };
    }
    case 'warning': {
      const key = event.message.replace(/\d+/g, '#');
      return { ...of(event), kind: 'warning', key, state: 'happened', detail: event.message };
    }
    default:
      return undefined;
  }
}

/** Somebody has ended it by asking for something else. */
export function isGivenUp({ code }: Failure): boolean {
  return code === 'superseded' || code === 'aborted';
}

/** Of an operation that has failed: one for each service that it failed for. That of a release is told as a release. */
export function problemsOfOperation({ id, kind, steps }: OperationView): readonly Problem[] {
  if (kind === 'release') return [];
  return steps.flatMap(({ service, failure }): Problem[] => {
    if (!failure || isGivenUp(failure)) return [];
    const detail = `${kind} failed: ${failure.message}`;
    return [{ kind: 'operation-failed', service, instance: null, key: id, state: 'happened', detail }];
  });
}

function of(event: { service: string | null; instance?: number }): Pick<Problem, 'service' | 'instance'> {
  return { service: event.service, instance: event.instance ?? null };
}

/** `alerts`: those that concern the service of the problem. */
export function note(
  book: AlertBook,
  problem: Problem,
  alerts: readonly AlertSpec[],
  now: number,
): AlertStep {
  const told: Told[] = [];
  const next: Record<string, Readonly<Record<string, Known>>> = { ...book };
  const key = bookKey(problem);
  for (const { name, on, repeatMs } of alerts) {
    if (!on.includes(problem.kind)) continue;
    const before = book[name]?.[key];
    const after = meet(before, problem, repeatMs, now);
    if (after === before || after === undefined) continue;
    next[name] = { ...next[name], [key]: after };
    if (after.toldAt !== before?.toldAt || (after.isOpen && !before.isOpen))
      told.push(tell(name, 'problem', after, 1 + (before?.isOpen === false ? before.untold : 0)));
  }
  return { book: next, told };
}

function meet(before: Known | undefined, problem: Problem, repeatMs: number, now: number): Known | undefined {
  const { kind, service, instance, detail, state } = problem;
  if (state === 'over' || state === 'unwatched') {
    if (!before?.isOpen || (problem.isOfAttempt && !before.isOfAttempt)) return before;
    return { ...before, overAt: before.overAt ?? now, isUnwatched: state === 'unwatched' };
  }
  const isOpen = state === 'began';
  const isOfAttempt = problem.isOfAttempt ?? false;
  if (before && isOpen && before.isOpen) {
    const goesOn = {
      overAt: null,
      isUnwatched: false,
      isOfAttempt: isOfAttempt && before.isOfAttempt === true,
    };
    return { ...before, detail, ...goesOn };
  }
  const isTold = before !== undefined && !isOpen && !isDue(before, repeatMs, now);
  if (isTold) return { ...before, detail, instance, untold: before.untold + 1 };
  const begun = { since: now, toldAt: now, untold: 0, isOpen, overAt: null };
  return { kind, service, instance, detail, ...begun, ...(isOfAttempt ? { isOfAttempt } : {}) };
}

/** What the time alone brings. `alerts`: all there are, by name. */
export function tick(book: AlertBook, alerts: ReadonlyMap<string, AlertSpec>, now: number): AlertStep {
  const told: Told[] = [];
  const next: Record<string, Record<string, Known>> = {};
  for (const [name, problems] of Object.entries(book)) {
    const alert = alerts.get(name);
    if (!alert) continue; // it was taken out of the configuration
    for (const [key, known] of Object.entries(problems)) {
      const { after, notice } = pass(known, alert, now);
      if (after) (next[name] ??= {})[key] = after;
      if (notice) told.push(tell(name, notice, known, known.untold));
    }
  }
  return { book: next, told };
}

function pass(
  known: Known,
  { repeatMs, recovery }: AlertSpec,
  now: number,
): { after?: Known; notice?: 'still' | 'recovered' } {
  const { isOpen, overAt, untold, isUnwatched = false } = known;
  const isCalm = overAt !== null && (now - overAt >= CALM_MS || now < overAt);
  if (isOpen && isCalm) return recovery && !isUnwatched ? { notice: 'recovered' } : {};
  if (!isDue(known, repeatMs, now)) return { after: known };
  if (untold === 0 && (!isOpen || overAt !== null)) return isOpen ? { after: known } : {};
  return { after: { ...known, toldAt: now, untold: 0 }, notice: 'still' };
}

/** When `tick` has something to do; undefined: never. */
export function nextTick(book: AlertBook, alerts: ReadonlyMap<string, AlertSpec>): number | undefined {
  const times = Object.entries(book).flatMap(([name, problems]) => {
    const { repeatMs = 0 } = alerts.get(name) ?? {};
    return Object.values(problems).map(({ kind, isOpen, overAt, toldAt }) =>
      isOpen && overAt !== null ? overAt + CALM_MS : toldAt + repeatOf(kind, repeatMs),
    );
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** What was told of a kind and is not over: of which service ('' for none), and the key of the problem. */
export function openIn(book: AlertBook, kind: AlertKind): [service: string, key: string][] {
  const keys = Object.values(book).flatMap((problems) =>
    Object.entries(problems).flatMap(([key, known]) => (known.kind === kind && known.isOpen ? [key] : [])),
  );
  return [...new Set(keys)].map((key) => {
    const [, service = '', ...rest] = key.split(' ');
    return [service, rest.join(' ')];
  });
}

function bookKey({ kind, service, key }: Problem): string {
  return [kind, service ?? '', key].join(' ');
}

/** A service that was deleted has no problems any more, and nobody is told so. */
export function forget(book: AlertBook, service: string): AlertBook {
  const rest = Object.entries(book).map(([name, problems]) => {
    const others = Object.entries(problems).filter(([, known]) => known.service !== service);
    return [name, Object.fromEntries(others)] as const;
  });
  return Object.fromEntries(rest);
}

/** The clock may have been set back: then it counts as due, or nothing would be told for as long. */
function isDue({ kind, toldAt }: Known, repeatMs: number, now: number): boolean {
  return now - toldAt >= repeatOf(kind, repeatMs) || now < toldAt;
}

function repeatOf(kind: AlertKind, repeatMs: number): number {
  return Math.max(repeatMs, SLOW_MS[kind] ?? 0);
}

function tell(alert: string, phase: Told['phase'], known: Known, count: number): Told {
  const { kind, service, instance, detail, since } = known;
  return { alert, phase, kind, service, instance, detail, since, count };
}

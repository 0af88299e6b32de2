/**
 * Follows one service through its events and says when it was up, degraded, down or off, and since when: a death is dated by
 * the shim, a hang by the probes. Pure: the same events always give the same records.
 *
 *   begins ─▶ settling: what the daemon finds is collected ── settle ─▶ each event gives records at once
 */
import { ENDED_BY_LOOK } from '../core/index.js';
import type { CauseKind, ExitView, InstanceStatus, Level, UpkeepEvent } from '../protocol/index.js';
import type { HistoryRecord } from './record.js';

type Of<T extends UpkeepEvent['type']> = Extract<UpkeepEvent, { type: T }>;
export type InstanceNews = Of<'instance-status' | 'instance-adopted' | 'instance-exited' | 'instance-health'>;

/** An operation that is under way, as far as it matters here. */
export interface Intent {
  readonly id: string;
  readonly kind: string;
  /** null: upkeep itself. */
  readonly by: string | null;
}

interface Track {
  status: InstanceStatus | 'ended';
  /** What speaks against it. */
  readonly against: Set<string>;
}

const AT_REST: readonly Track['status'][] = ['stopped', 'completed', 'scheduled'];
const WORDS = 300;

export class ServiceTrack {
  /** By index, by attempt: during a reload there are two. */
  readonly #instances = new Map<number, Map<number, Track>>();
  readonly #intents = new Map<string, Intent>();
  /** Deaths of those that lived, until it is known whether they had done their work: by index. */
  readonly #deaths = new Map<number, Of<'instance-exited'>>();
  #level: Level;
  /** Found while the daemon begins; undefined: it has begun. */
  #found: InstanceNews[] | undefined = [];

  /** `level`: the last one that was written down; undefined: none was. */
  constructor(level: Level | undefined, isSettled = false) {
    this.#level = level ?? 'off';
    if (isSettled) this.#found = undefined;
  }

  get level(): Level {
    return this.#level;
  }

  note(event: InstanceNews): HistoryRecord[] {
    if (!this.#found) return this.#take(event);
    this.#found.push(event);
    return [];
  }

  /**
   * The daemon has begun. Only a daemon starts anything, so what it found alive has lived since `heard`, when the one before was
   * last seen; of what it did not find nobody knows.
   */
  settle(heard: number): HistoryRecord[] {
    const found = this.#found ?? [];
    this.#found = undefined;
    const first = new Map(found.toReversed().map((event) => [event.instance, event]));
    for (const event of first.values()) this.#remember(event);
    for (const event of found) if (event.type === 'instance-adopted') this.#remember(event);
    const records = wasServing(this.#level)
      ? this.#change(heard, this.#serves() ? this.#judge() : 'unobserved')
      : [];
    return [...records, ...found.flatMap((event) => this.#take(event))];
  }

  begin(intent: Intent, at: number): HistoryRecord[] {
    const isKnown = this.#intents.has(intent.id);
    this.#intents.set(intent.id, intent);
    const { id, kind, by } = intent;
    return isKnown || by === null ? [] : [{ k: 'operation', t: at, id, kind, by }];
  }

  end(id: string, at: number): HistoryRecord[] {
    this.#intents.delete(id);
    return this.#found ? [] : this.#change(at, this.#judge());
  }

  /** It is gone, and whatever of it lived. */
  forget(at: number): HistoryRecord[] {
    this.#instances.clear();
    return this.#change(at, 'off');
  }

  /** How an instance was before the first news of it. */
  #remember(event: InstanceNews): void {
    const attempts = this.#at(event.instance);
    switch (event.type) {
      case 'instance-adopted':
        return void attempts.set(event.attempt, {
          status: event.status ?? 'running',
          against: new Set<string>(),
        });
      case 'instance-status':
        return void (
          event.from === 'stopped' ||
          attempts.set(event.attempt, { status: event.from, against: new Set<string>() })
        );
      case 'instance-exited': // `unknown`: it may have died at any time since
        return void (
          event.exit.kind === 'unknown' ||
          attempts.set(event.attempt, { status: 'running', against: new Set<string>() })
        );
      case 'instance-health':
        return void attempts.set(event.attempt, { status: 'running', against: new Set<string>() });
    }
  }

  #take(event: InstanceNews): HistoryRecord[] {
    const at = Date.parse(event.at);
    switch (event.type) {
      case 'instance-adopted':
        this.#track(event).status = event.status ?? 'running';
        return this.#change(at, this.#judge());
      case 'instance-exited':
        return this.#onExited(event);
      case 'instance-health':
        return this.#onHealth(event, at);
      case 'instance-status':
        return this.#onStatus(event, at);
    }
  }

  #onStatus(event: Of<'instance-status'>, at: number): HistoryRecord[] {
    const { instance, attempt, from, to } = event;
    const death = this.#deaths.get(instance);
    this.#deaths.delete(instance);
    const hasDoneItsWork = AT_REST.includes(to) && death?.exit.kind === 'exited' && death.exit.code === 0;
    const died = death && !hasDoneItsWork ? this.#bury(death) : [];
    const attempts = this.#at(instance);
    const isNew = !attempts.has(attempt);
    for (const [number, { status }] of attempts)
      if (number < attempt && (status === from || status === 'ended' || AT_REST.includes(status)))
        attempts.delete(number);
    const track = this.#track(event);
    track.status = to;
    if (to === 'running') track.against.clear();
    const isRestart = isNew && to === 'starting' && !AT_REST.includes(from);
    const restart: HistoryRecord[] = isRestart ? [{ k: 'restart', t: at, i: instance, a: attempt }] : [];
    return [...died, ...restart, ...this.#change(at, this.#judge())];
  }

  #onExited(event: Of<'instance-exited'>): HistoryRecord[] {
    const { status } = this.#track(event);
    if (status !== 'running' && status !== 'starting') return this.#bury(event);
    this.#deaths.set(event.instance, event); // its next status follows at once
    return [];
  }

  #bury(event: Of<'instance-exited'>): HistoryRecord[] {
    const { exit, instance: i, attempt: a } = event;
    const heard = Date.parse(event.at);
    const t = Math.min(Date.parse(exit.at), heard);
    const isMeant = exit.askedBy !== null && this.#isLeaving();
    this.#track(event).status = 'ended';
    const fault: HistoryRecord = { k: 'fault', t, heard, i, a, ...this.#causeOf(exit) };
    return [...(isMeant ? [] : [fault]), ...this.#change(t, this.#judge())];
  }

  #onHealth(event: Of<'instance-health'>, heard: number): HistoryRecord[] {
    const { healthy, detail, because = detail, since, probe = 'configured', instance: i, attempt: a } = event;
    const { against } = this.#track(event);
    if (healthy) against.delete(probe);
    else against.add(probe);
    const t = Math.min(heard, since === undefined ? heard : Date.parse(since));
    const words = `unhealthy: ${because}`.slice(0, WORDS);
    const fault: HistoryRecord = { k: 'fault', t, heard, i, a, kind: 'unhealthy', words };
    return [...(healthy ? [] : [fault]), ...this.#change(t, this.#judge())];
  }

  #causeOf({ kind, askedBy, reason, error, evidence }: ExitView): { kind: CauseKind; words: string } {
    // One that had an exception of its own before upkeep's signal reached it has crashed.
    const isOwn = Boolean(error) && evidence?.missing !== ENDED_BY_LOOK;
    if (askedBy === null || (isOwn && kindOf(askedBy.replace(/^upkeep: /, '')) === 'unhealthy')) {
      const by = error ? `: ${error.type === null ? '' : `${error.type}: `}${error.message}` : '';
      return { kind: kind === 'unknown' ? 'unknown' : 'crash', words: `${reason}${by}`.slice(0, WORDS) };
    }
    const words = askedBy.replace(/^upkeep: /, '').slice(0, WORDS);
    const [, id = ''] = /^operation (\d+) /.exec(askedBy) ?? [];
    const by = this.#intents.get(id)?.by;
    if (id !== '')
      return { kind: by === null ? 'upkeep' : 'operator', words: by ? `${words} by ${by}` : words };
    return { kind: kindOf(words), words };
  }

  /** It is being ended for good. */
  #isLeaving(): boolean {
    return [...this.#intents.values()].some(({ kind }) => kind === 'stop' || kind === 'delete');
  }

  /** What is at rest is to run again: the two halves of a restart. */
  #isComingBack(): boolean {
    return [...this.#intents.values()].some(
      ({ kind }) => kind === 'restart' || kind === 'up' || kind === 'reload' || kind === 'release',
    );
  }

  #at(index: number): Map<number, Track> {
    const known = this.#instances.get(index) ?? new Map<number, Track>();
    this.#instances.set(index, known);
    return known;
  }

  #track({ instance, attempt }: { instance: number; attempt: number }): Track {
    const attempts = this.#at(instance);
    const known = attempts.get(attempt) ?? { status: 'stopped', against: new Set<string>() };
    attempts.set(attempt, known);
    return known;
  }

  #serves(): boolean {
    return [...this.#instances.values()].some(isServing);
  }

  #judge(): Level {
    const expected = [...this.#instances.values()].filter((attempts) =>
      [...attempts.values()].some(({ status }) => !AT_REST.includes(status)),
    );
    const serving = expected.filter(isServing).length;
    if (serving > 0) return serving < expected.length ? 'degraded' : 'up';
    if (this.#isLeaving()) return 'off';
    if (expected.length === 0) return this.#level !== 'off' && this.#isComingBack() ? 'down' : 'off';
    // It was off: until it has been up, or has failed, it is no outage that it begins.
    const areAllStarting = expected.every((attempts) =>
      [...attempts.values()].some(({ status }) => status === 'starting'),
    );
    return this.#level === 'off' && areAllStarting ? 'off' : 'down';
  }

  #change(t: number, to: Level): HistoryRecord[] {
    if (to === this.#level) return [];
    this.#level = to;
    return [{ k: 'level', t, to }];
  }
}

function isServing(attempts: ReadonlyMap<number, Track>): boolean {
  return [...attempts.values()].some(({ status, against }) => status === 'running' && against.size === 0);
}

function wasServing(level: Level): boolean {
  return level === 'up' || level === 'degraded';
}

function kindOf(words: string): CauseKind {
  if (words.startsWith('unhealthy')) return 'unhealthy';
  if (words.startsWith('memory limit')) return 'memory';
  if (words.startsWith('not ready')) return 'not-ready';
  return 'upkeep';
}

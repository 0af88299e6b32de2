/** The kinds of errors of one service in memory, by the changes that are told: which, since when, how often. Bounded. */
import type { Change, NewKind, Seen, Snapshot, StoredKind, StoredMark } from './change.js';

const MAX_KINDS = 300;
/** Of those that had to make room only this much is known: that they are not new. */
const MAX_FORGOTTEN = 2000;
const MAX_MARKS = 20;
const MAX_ATTEMPTS = 20;
/** For the rate. */
const RATE_MINUTES = 10;
const MINUTE_MS = 60_000;

export class KindBook {
  readonly #kinds: Map<string, StoredKind>;
  readonly #marks: StoredMark[];
  readonly #forgotten: Map<string, { readonly firstAt: number; readonly count: number }>;
  readonly #maxKinds: number;
  #forgottenCount: number;
  /** Those that have just made room, until they are taken. */
  #evicted: string[] = [];

  /** @param maxKinds for tests. */
  constructor(snapshot?: Snapshot, maxKinds = MAX_KINDS) {
    this.#kinds = new Map(snapshot?.kinds.map((kind) => [kind.id, kind]));
    this.#marks = [...(snapshot?.marks ?? [])];
    this.#forgotten = new Map(
      snapshot?.forgotten.map(([id, firstAt, count]) => [id, { firstAt, count }] as const),
    );
    this.#forgottenCount = snapshot?.forgottenCount ?? 0;
    this.#maxKinds = maxKinds;
  }

  get kinds(): readonly StoredKind[] {
    return [...this.#kinds.values()];
  }

  /** Oldest first. */
  get marks(): readonly StoredMark[] {
    return this.#marks;
  }

  get mark(): StoredMark | undefined {
    return this.#marks.at(-1);
  }

  /** How many kinds had to make room. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }

  find(id: string): StoredKind | undefined {
    return this.#kinds.get(id);
  }

  /** It was never seen. */
  isUnheardOf(id: string): boolean {
    return !this.#kinds.has(id) && !this.#forgotten.has(id);
  }

  apply({ kinds = [], seen = [], mark, mute }: Change): void {
    if (mark) this.#addMark(mark);
    for (const kind of kinds) this.#addKind(kind);
    for (const one of seen) this.#count(one);
    const muted = mute && this.#kinds.get(mute.id);
    if (muted) muted.mute = mute.mute;
    this.#makeRoom();
  }

  /** The number of the mark that held at that time; 0: before the first. */
  markAt(at: number): number {
    return this.#marks.findLast((mark) => mark.at <= at)?.id ?? 0;
  }

  takeEvicted(): readonly string[] {
    const evicted = this.#evicted;
    this.#evicted = [];
    return evicted;
  }

  save(): Pick<Snapshot, 'kinds' | 'marks' | 'forgotten' | 'forgottenCount'> {
    return {
      kinds: [...this.#kinds.values()],
      marks: this.#marks,
      forgotten: [...this.#forgotten].map(([id, { firstAt, count }]) => [id, firstAt, count]),
      forgottenCount: this.#forgottenCount,
    };
  }

  #addMark(mark: StoredMark): void {
    this.#marks.push(mark);
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
  }

  #addKind({ report: _, ...kind }: NewKind): void {
    if (this.#kinds.has(kind.id)) return;
    const before = this.#forgotten.get(kind.id);
    this.#forgotten.delete(kind.id);
    this.#kinds.set(kind.id, {
      ...kind,
      firstAt: before?.firstAt ?? kind.firstAt,
      lastAt: kind.firstAt,
      count: before?.count ?? 0,
      marks: [],
      attempts: [],
      minutes: [],
      mute: null,
    });
  }

  #count({ id, instance, attempt, at, count }: Seen): void {
    const kind = this.#kinds.get(id);
    if (!kind) return;
    kind.count += count;
    kind.lastAt = Math.max(kind.lastAt, at);
    kind.firstAt = Math.min(kind.firstAt, at);
    add(kind.marks, [this.markAt(at)], count, MAX_MARKS);
    add(kind.minutes, [Math.floor(at / MINUTE_MS)], count, RATE_MINUTES + 1);
    if (instance !== null && attempt !== null) add(kind.attempts, [instance, attempt], count, MAX_ATTEMPTS);
  }

  /** Least recently seen first; one that is muted would come back without its mute. */
  #makeRoom(): void {
    const excess = this.#kinds.size - this.#maxKinds;
    if (excess <= 0) return;
    const rank = ({ mute, lastAt }: StoredKind): number => (mute ? Infinity : lastAt);
    const leaving = this.kinds.toSorted((a, b) => rank(a) - rank(b)).slice(0, excess);
    for (const { id, firstAt, count } of leaving) {
      this.#kinds.delete(id);
      this.#forgotten.set(id, { firstAt, count });
      this.#evicted.push(id);
    }
    this.#forgottenCount += excess;
    for (const id of this.#forgotten.keys()) {
      if (this.#forgotten.size <= MAX_FORGOTTEN) return;
      this.#forgotten.delete(id);
    }
  }
}

/** A minute, on average over the last ten, or over as many as there were. */
export function perMinute({ minutes, firstAt }: StoredKind, now: number): number {
  const current = Math.floor(now / MINUTE_MS);
  const recent = minutes.filter(([minute]) => minute > current - RATE_MINUTES);
  const count = recent.reduce((sum, [, one]) => sum + one, 0);
  const span = Math.min(RATE_MINUTES, Math.max(1, (now - firstAt) / MINUTE_MS));
  return Math.round((count / span) * 10) / 10;
}

export function isMuted({ mute }: StoredKind, now: number): boolean {
  return mute !== null && (mute.until === null || mute.until > now);
}

/** To the entry with these keys, which becomes the last one; the oldest ones make room. */
function add<K extends readonly number[]>(
  entries: [...K, number][],
  keys: K,
  count: number,
  maxEntries: number,
): void {
  const at = entries.findLastIndex((entry) => keys.every((key, index) => entry[index] === key));
  const before = at < 0 ? 0 : entries.splice(at, 1)[0]!.at(-1)!;
  entries.push([...keys, before + count]);
  if (entries.length > maxEntries) entries.shift();
}

/** The history of events: numbered, dated, kept in memory for the API and on disk in two files of bounded size. */
import { join } from 'node:path';
import * as v from 'valibot';
import { UpkeepEvent, type NewEvent } from '../protocol/index.js';
import { RolledFile } from '../system/index.js';
import { parseLines } from '../util/index.js';

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const KEPT_IN_MEMORY = 1000;
/** Events come in bursts; they are written together. Losing the last ones to a power cut is accepted. */
const WRITE_AFTER_MS = 200;

export class EventStore {
  readonly #file: RolledFile;
  readonly #wall: () => Date;
  readonly #recent: UpkeepEvent[];
  readonly #listeners = new Set<() => void>();
  #unwritten: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #seq: number;

  constructor(folder: string, wall: () => Date) {
    this.#file = new RolledFile(join(folder, 'events.jsonl'), MAX_FILE_BYTES);
    this.#wall = wall;
    this.#recent = this.#file.read().flatMap(parseEvents).slice(-KEPT_IN_MEMORY);
    this.#seq = Math.max(0, ...this.#recent.map(({ seq }) => seq));
  }

  emit(event: NewEvent): UpkeepEvent {
    const full: UpkeepEvent = { seq: ++this.#seq, at: this.#wall().toISOString(), ...event };
    this.#recent.push(full);
    if (this.#recent.length > KEPT_IN_MEMORY * 1.5)
      this.#recent.splice(0, this.#recent.length - KEPT_IN_MEMORY);
    this.#unwritten.push(`${JSON.stringify(full)}\n`);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_AFTER_MS);
    for (const listener of this.#listeners) listener();
    return full;
  }

  /** The latest, oldest first. */
  recent(limit: number): readonly UpkeepEvent[] {
    return limit <= 0 ? [] : this.#recent.slice(-limit);
  }

  /** Those after this number that are still in memory, oldest first. */
  since(seq: number): readonly UpkeepEvent[] {
    return this.#recent.slice(this.#recent.findLastIndex((event) => event.seq <= seq) + 1);
  }

  /** Calls after each coming event; answers how to end that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#unwritten.join('');
    this.#unwritten = [];
    if (lines === '') return;
    try {
      this.#file.append(lines);
    } catch {
      // A full disk must not end the daemon; the events stay in memory.
    }
  }
}

/** The latest ones. What a power cut made of the file is no event. */
function parseEvents(text: string): UpkeepEvent[] {
  const latest = text.split('\n').slice(-KEPT_IN_MEMORY - 1);
  return parseLines(latest.join('\n')).filter((value) => v.is(UpkeepEvent, value));
}

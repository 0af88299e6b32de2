/** The history of events: numbered, dated, kept in memory for the API and on disk in two files of bounded size. */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { NewEvent, UpkeepEvent } from '../protocol/index.js';

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const KEPT_IN_MEMORY = 1000;
/** Events come in bursts; they are written together. Losing the last ones to a power cut is accepted. */
const WRITE_AFTER_MS = 200;

export class EventStore {
  readonly #path: string;
  readonly #wall: () => Date;
  readonly #recent: UpkeepEvent[];
  readonly #listeners = new Set<(event: UpkeepEvent) => void>();
  #unwritten: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #bytes: number;
  #seq: number;

  constructor(folder: string, wall: () => Date) {
    this.#path = join(folder, 'events.jsonl');
    this.#wall = wall;
    this.#recent = [...readEvents(`${this.#path}.1`), ...readEvents(this.#path)].slice(-KEPT_IN_MEMORY);
    this.#seq = this.#recent.at(-1)?.seq ?? 0;
    this.#bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  emit(event: NewEvent): void {
    const full: UpkeepEvent = { seq: ++this.#seq, at: this.#wall().toISOString(), ...event };
    this.#recent.push(full);
    if (this.#recent.length > KEPT_IN_MEMORY * 1.5)
      this.#recent.splice(0, this.#recent.length - KEPT_IN_MEMORY);
    this.#unwritten.push(`${JSON.stringify(full)}\n`);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_AFTER_MS);
    for (const listener of this.#listeners) listener(full);
  }

  /** The latest, oldest first. */
  recent(limit: number): readonly UpkeepEvent[] {
    return limit <= 0 ? [] : this.#recent.slice(-limit);
  }

  /** Calls for each coming event; answers how to end that. */
  subscribe(listener: (event: UpkeepEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#unwritten.join('');
    this.#unwritten = [];
    if (text === '') return;
    try {
      if (this.#bytes + text.length > MAX_FILE_BYTES && existsSync(this.#path)) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#bytes = 0;
      }
      appendFileSync(this.#path, text, { mode: 0o600 });
      this.#bytes += text.length;
    } catch {
      // A full disk must not end the daemon; the events stay in memory.
    }
  }
}

function readEvents(path: string): UpkeepEvent[] {
  if (!existsSync(path)) return [];
  const events: UpkeepEvent[] = [];
  for (const line of readFileSync(path, 'utf8')
    .split('\n')
    .slice(-KEPT_IN_MEMORY - 1)) {
    try {
      if (line !== '') events.push(JSON.parse(line) as UpkeepEvent);
    } catch {
      continue; // torn by a power cut
    }
  }
  return events;
}

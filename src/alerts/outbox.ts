/**
 * What is still to be told, on disk: a notice is written down before it is sent, and crossed out when it has arrived. So
 * none is lost with the daemon; one that was on its way then is sent again, and says so.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { AlertBook } from '../core/index.js';
import { ALERT_KINDS, Notice } from '../protocol/index.js';
import { Journal } from '../store/index.js';

const FORMAT = 1;
/** More than that nobody reads. */
const MAX_PENDING = 1000;

const Waiting = v.object({ notice: Notice, notBefore: v.number() });
/** `notBefore`: the end of quiet hours, wall clock. */
export type Waiting = v.InferOutput<typeof Waiting>;

const Known = v.object({
  kind: v.picklist(ALERT_KINDS),
  service: v.nullable(v.string()),
  instance: v.nullable(v.number()),
  detail: v.string(),
  since: v.number(),
  toldAt: v.number(),
  untold: v.number(),
  isOpen: v.boolean(),
  overAt: v.nullable(v.number()),
  isUnwatched: v.exactOptional(v.boolean()),
  isOfAttempt: v.exactOptional(v.boolean()),
});

const Line = v.union([
  v.object({
    format: v.literal(FORMAT),
    /** Of the last event that was looked at. */
    seq: v.number(),
    book: v.record(v.string(), v.record(v.string(), Known)),
    waiting: v.array(Waiting),
  }),
  v.object({ tried: v.array(v.string()) }),
  v.object({ done: v.string() }),
]);
type Line = v.InferOutput<typeof Line>;

export class Outbox {
  readonly #journal: Journal;
  readonly #waiting = new Map<string, Waiting>();
  readonly #tried = new Set<string>();
  #seq: number | undefined;
  #book: AlertBook = {};

  constructor(home: string) {
    const folder = join(home, 'alerts');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#journal = new Journal(join(folder, 'outbox.jsonl'));
    const lines = this.#journal.read(() => this.#summarize());
    for (const line of lines) if (v.is(Line, line)) this.#learn(line);
  }

  /** undefined: nothing was written yet. */
  get seq(): number | undefined {
    return this.#seq;
  }

  get book(): AlertBook {
    return this.#book;
  }

  get waiting(): readonly Waiting[] {
    return [...this.#waiting.values()];
  }

  hasTried(id: string): boolean {
    return this.#tried.has(id);
  }

  /** Resolves when it is on disk. Answers how many had to make room. */
  async note(seq: number, book: AlertBook, waiting: readonly Waiting[]): Promise<number> {
    const line: Line = { format: FORMAT, seq, book, waiting: [...waiting] };
    this.#learn(line);
    const excess = [...this.#waiting.keys()].slice(0, Math.max(0, this.#waiting.size - MAX_PENDING));
    await this.#journal.append(line);
    for (const id of excess) await this.done(id);
    return excess.length;
  }

  /** They are on their way: whoever finds them here cannot know whether they arrived. */
  async tried(ids: readonly string[]): Promise<void> {
    const line = { tried: [...ids] };
    this.#learn(line);
    await this.#journal.append(line);
  }

  async done(id: string): Promise<void> {
    const line = { done: id };
    this.#learn(line);
    await this.#journal.append(line);
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #learn(line: Line): void {
    if ('done' in line) {
      this.#waiting.delete(line.done);
      this.#tried.delete(line.done);
    } else if ('tried' in line) {
      for (const id of line.tried) if (this.#waiting.has(id)) this.#tried.add(id);
    } else {
      this.#seq = line.seq;
      this.#book = line.book;
      for (const each of line.waiting) this.#waiting.set(each.notice.id, each);
    }
  }

  #summarize(): readonly unknown[] {
    if (this.#seq === undefined) return [];
    const whole = { format: FORMAT, seq: this.#seq, book: this.#book, waiting: this.waiting };
    return [whole, ...(this.#tried.size > 0 ? [{ tried: [...this.#tried] }] : [])];
  }
}

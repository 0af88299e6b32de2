/** Joins the lines of one attempt and stream to records: a line, or a stack trace with all that belongs to it. */
import { begin, next, type Continuation } from './continuation.js';

/** What is longer is cut; the rest is a record of its own. */
const MAX_LINES = 1000;
const MAX_CHARACTERS = 256 * 1024;

export class RecordAssembler {
  #lines: string[] = [];
  #characters = 0;
  #state: Continuation | undefined;

  /** The record that was ended by this line, which begins the next one; null where it goes on. */
  push(line: string): readonly string[] | null {
    const state = this.#state && next(this.#state, line);
    const isFull = this.#lines.length >= MAX_LINES || this.#characters >= MAX_CHARACTERS;
    const ended = this.#lines.length > 0 && (!state || isFull) ? this.#take() : null;
    this.#state = state ?? begin(line);
    this.#lines.push(line);
    this.#characters += line.length;
    return ended;
  }

  /** What there is, whether it is whole or not. */
  flush(): readonly string[] | null {
    this.#state = undefined;
    return this.#lines.length > 0 ? this.#take() : null;
  }

  #take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#characters = 0;
    return lines;
  }
}

/**
 * The records of one service in two files of bounded size: a full one takes the place of the one before. Lines are appended
 * whole, so a kill at any moment costs at most the last one, which the next line does not continue.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { parseRecords, type HistoryRecord } from './record.js';

/** Some 5,000 records each. */
export const MAX_FILE_BYTES = 512 * 1024;

export class HistoryFile {
  readonly #path: string;
  #bytes: number;
  #isTorn: boolean;

  constructor(path: string) {
    this.#path = path;
    const text = readIfAny(path);
    this.#bytes = Buffer.byteLength(text);
    this.#isTorn = text !== '' && !text.endsWith('\n');
  }

  append(records: readonly HistoryRecord[]): void {
    if (records.length === 0) return;
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    const text = this.#isTorn ? `\n${lines}` : lines;
    const bytes = Buffer.byteLength(text);
    this.#isTorn = true; // until all of it is written
    if (this.#bytes + bytes > MAX_FILE_BYTES && existsSync(this.#path)) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#path, text, { mode: 0o600 });
    this.#bytes += bytes;
    this.#isTorn = false;
  }

  /** Oldest first, as they were written. */
  read(): HistoryRecord[] {
    return parseRecords(`${readIfAny(`${this.#path}.1`)}\n${readIfAny(this.#path)}`);
  }

  /** Wall clock of the last write, milliseconds. */
  static touchedAt(path: string): number | undefined {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  }
}

function readIfAny(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

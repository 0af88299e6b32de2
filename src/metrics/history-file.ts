/** The records of one service, in two files of bounded size. */
import { statSync } from 'node:fs';
import * as v from 'valibot';
import { RolledFile } from '../system/index.js';
import { formatLines } from '../util/index.js';
import { HistoryRecord } from './record.js';

/** Some 5,000 records each. */
export const MAX_FILE_BYTES = 512 * 1024;

export class HistoryFile {
  readonly #file: RolledFile;

  constructor(path: string) {
    this.#file = new RolledFile(path, MAX_FILE_BYTES);
  }

  append(records: readonly HistoryRecord[]): void {
    if (records.length === 0) return;
    this.#file.append(formatLines(records));
  }

  /** Oldest first, as they were written; those of an older or newer version, or torn, are passed over. */
  read(): HistoryRecord[] {
    return this.#file.values().filter((value) => v.is(HistoryRecord, value));
  }

  /** Wall clock of the last write, milliseconds. */
  static touchedAt(path: string): number | undefined {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  }
}

/**
 * Lines in two files of bounded size: a full one takes the place of the one before. Lines are appended whole, so a kill at
 * any moment costs at most the last one, which the next line does not continue.
 */
import { appendFileSync, closeSync, existsSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { parseLines } from '../util/index.js';
import { readIfAny } from './files.js';

const NEWLINE = 0x0a;

export class RolledFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #bytes: number;
  /** The file ends within a line: the next one must not be lost with it. */
  #isTorn: boolean;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#isTorn = this.#bytes > 0 && lastByte(path, this.#bytes) !== NEWLINE;
  }

  /** The values that were written as a whole, a line of JSON each, oldest first. */
  values(): unknown[] {
    return parseLines(this.read().join('\n'));
  }

  /** Throws where they cannot be written, as on a full disk. */
  append(lines: string): void {
    const text = this.#isTorn ? `\n${lines}` : lines;
    const bytes = Buffer.byteLength(text);
    this.#isTorn = true; // until all of it is written
    if (this.#bytes + bytes > this.#maxBytes && existsSync(this.#path)) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#path, text, { mode: 0o600 });
    this.#bytes += bytes;
    this.#isTorn = false;
  }

  /** What is in the two, the older one first; an absent one is empty. */
  read(): [older: string, newer: string] {
    return [readIfAny(`${this.#path}.1`) ?? '', readIfAny(this.#path) ?? ''];
  }
}

function lastByte(path: string, size: number): number | undefined {
  const byte = Buffer.alloc(1);
  const fd = openSync(path, 'r');
  try {
    return readSync(fd, byte, 0, 1, size - 1) === 1 ? byte[0] : undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * <home>/daemon.log, which is this process's stdout, with a bound. Guardian and launcher write to it, too, and all of them
 * append: so it is not moved aside, but copied to daemon.log.1, and truncated. What another one writes between the last look
 * and that, some microseconds, is lost.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';

const STDOUT = 1;
const MAX_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;
/** Small pieces: where malloc has given back megabytes once, it keeps them from then on. */
const BLOCK = Buffer.alloc(16 * 1024);

export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  /** Of the file at most, unless others have written a lot. */
  #bytes: number;

  /** @param maxBytes for tests. */
  constructor(path: string, maxBytes = MAX_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#bytes = this.#size();
    // As where the disk is full: an exception would be logged, and be one again, without an end.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  }

  /** Synchronous, as Node writes to files. */
  write(text: string): void {
    process.stdout.write(text);
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > this.#maxBytes) this.#beginAnew();
  }

  #beginAnew(): void {
    try {
      for (let size = this.#size(); size > this.#maxBytes;) {
        this.#copy(size);
        const now = this.#size();
        if (now === size) truncateSync(this.#path);
        size = now === size ? 0 : now; // somebody has written meanwhile
      }
    } catch {
      // A full disk: it is tried again when so much more was written.
    }
    this.#bytes = 0;
  }

  /** All of it, or, where an older upkeep left a large file, whole lines from its end. */
  #copy(size: number): void {
    const from = openSync(this.#path, 'r');
    const to = openSync(`${this.#path}.1.new`, 'w', 0o600);
    try {
      let position = size > 2 * this.#maxBytes ? size - this.#maxBytes : 0;
      let isInLine = position > 0;
      while (position < size) {
        const length = readSync(from, BLOCK, 0, Math.min(BLOCK.length, size - position), position);
        if (length === 0) break; // truncated by somebody
        const start = isInLine ? BLOCK.subarray(0, length).indexOf(NEWLINE) + 1 : 0;
        writeSync(to, BLOCK, start, length - start);
        isInLine = false;
        position += length;
      }
    } finally {
      closeSync(from);
      closeSync(to);
    }
    renameSync(`${this.#path}.1.new`, `${this.#path}.1`);
  }

  /** Zero where stdout goes somewhere else: whoever takes it there looks after it. */
  #size(): number {
    const file = statSync(this.#path, { throwIfNoEntry: false });
    const own = fstatSync(STDOUT);
    return file && file.ino === own.ino && file.dev === own.dev ? own.size : 0;
  }
}

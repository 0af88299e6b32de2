/** One plain text file that only grows, until it is full and moves aside: out.log, out.log.1, … The last is deleted. */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface LogLimits {
  /** @default 10 MiB */
  readonly maxBytes: number;
  /** Files beside the current one. @default 5 */
  readonly keep: number;
}

export const LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 * 1024, keep: 5 };

export class LogFile {
  readonly path: string;
  readonly #limits: LogLimits;
  #fd: number | undefined;
  #bytes = 0;
  /** Bytes that could not be written, because the disk was full. */
  lostBytes = 0;

  constructor(path: string, limits: LogLimits = LOG_LIMITS) {
    this.path = path;
    this.#limits = limits;
  }

  append(lines: Buffer): void {
    let written = 0;
    try {
      if (this.#bytes > 0 && this.#bytes + lines.length > this.#limits.maxBytes) this.#rotate();
      const fd = this.#open();
      while (written < lines.length) written += writeSync(fd, lines, written);
    } catch {
      this.lostBytes += lines.length - written; // ENOSPC: the application and the daemon go on
    }
    this.#bytes += written;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #open(): number {
    if (this.#fd === undefined) {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
      this.#fd = openSync(this.path, 'a', 0o600);
      this.#bytes = fstatSync(this.#fd).size;
    }
    return this.#fd;
  }

  #rotate(): void {
    this.close();
    for (let number = this.#limits.keep; number >= 1; number--) {
      const from = number === 1 ? this.path : `${this.path}.${number - 1}`;
      if (number === this.#limits.keep) rmSync(`${this.path}.${number}`, { force: true });
      moveAside(from, `${this.path}.${number}`);
    }
    this.#bytes = 0;
  }
}

function moveAside(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // not so many files yet
  }
}

/**
 * A file of JSON lines that grows. `append` resolves when the line is on disk (fdatasync); lines that arrive during a
 * write share the next one, so that a hundred requests cost a few syncs.
 *
 * Where the file cannot just grow on (it does not exist, its last line is torn, a write failed, it is too long), the next
 * append first renews it: what still matters is written beside it and takes its place.
 */
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readIfAny } from '../system/index.js';
import { deferred, formatLines, isTorn, parseLines, type Deferred } from '../util/index.js';
import { syncFolder } from './disk.js';

const MAX_BYTES = 8 * 1024 * 1024;

export interface JournalOptions {
  /** Beyond this it is renewed, unless more than half of it still matters. @default 8 MiB */
  readonly maxBytes?: number;
}

export class Journal {
  readonly #path: string;
  readonly #maxBytes: number;
  #summarize: () => readonly unknown[] = () => [];
  #file: FileHandle | undefined;
  #bytes = 0;
  /** What still mattered when it was renewed. */
  #renewedBytes = 0;
  #isStale = true;
  #values: unknown[] = [];
  #synced: Deferred | undefined;
  #isClosed = false;
  /** Resolves when nothing is left to write. */
  #writing: Promise<void> | undefined;

  constructor(path: string, { maxBytes = MAX_BYTES }: JournalOptions = {}) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  /** Every complete line; what a power cut tore off is dropped. `summarize` tells what still matters when it is renewed. */
  read(summarize: () => readonly unknown[]): unknown[] {
    this.#summarize = summarize;
    const text = readIfAny(this.#path);
    if (text === undefined) return []; // a new home
    this.#bytes = Buffer.byteLength(text);
    this.#isStale = isTorn(text) || this.#bytes > this.#maxBytes;
    return parseLines(text);
  }

  /** After `close` it never resolves: the file is another daemon's. */
  append(value: unknown): Promise<void> {
    if (this.#isClosed) return deferred().promise;
    this.#values.push(value);
    this.#synced ??= deferred();
    const { promise } = this.#synced;
    this.#writing ??= this.#writeAll();
    return promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeAll(): Promise<void> {
    while (this.#synced) {
      const synced = this.#synced;
      const text = formatLines(this.#values);
      this.#values = [];
      this.#synced = undefined;
      await this.#write(text).then(synced.resolve, synced.reject);
    }
    this.#writing = undefined;
  }

  async #write(text: string): Promise<void> {
    if (this.#isStale) await this.#renew();
    this.#isStale = true; // until the line is whole
    this.#file ??= await open(this.#path, 'a', 0o600);
    await this.#file.appendFile(text);
    await this.#file.datasync();
    this.#bytes += Buffer.byteLength(text);
    this.#isStale = this.#bytes > Math.max(this.#maxBytes, 2 * this.#renewedBytes);
  }

  async #renew(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const fresh = `${this.#path}.new`;
    const file = await open(fresh, 'w', 0o600);
    const text = formatLines(this.#summarize());
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(fresh, this.#path);
    await syncFolder(dirname(this.#path));
    this.#bytes = Buffer.byteLength(text);
    this.#renewedBytes = this.#bytes;
  }
}

/**
 * An append-only file of JSON lines. `append` resolves when the line is on disk (fdatasync); lines that arrive during a
 * write share the next one, so that a hundred requests cost a few syncs.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { deferred, type Deferred } from '../util/index.js';

export class Journal {
  readonly #path: string;
  #file: FileHandle | undefined;
  #lines: string[] = [];
  #synced: Deferred | undefined;
  #isWriting = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every complete line; what a power cut tore off at the end is dropped. */
  read(): unknown[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return []; // a new home
    }
    const values: unknown[] = [];
    for (const line of text.split('\n')) {
      if (line === '') continue;
      try {
        values.push(JSON.parse(line));
      } catch {
        continue; // torn
      }
    }
    return values;
  }

  /** Replaces the content; only before the first `append`. */
  compact(values: readonly unknown[]): void {
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, values.map((value) => `${JSON.stringify(value)}\n`).join(''), { mode: 0o600 });
    renameSync(fresh, this.#path);
  }

  append(value: unknown): Promise<void> {
    this.#lines.push(`${JSON.stringify(value)}\n`);
    this.#synced ??= deferred();
    const { promise } = this.#synced;
    if (!this.#isWriting) void this.#writeAll();
    return promise;
  }

  async close(): Promise<void> {
    await this.#synced?.promise.catch(() => undefined);
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    while (this.#synced) {
      const synced = this.#synced;
      const text = this.#lines.join('');
      this.#lines = [];
      this.#synced = undefined;
      await this.#write(text).then(synced.resolve, synced.reject);
    }
    this.#isWriting = false;
  }

  async #write(text: string): Promise<void> {
    this.#file ??= await open(this.#path, 'a', 0o600);
    await this.#file.write(text);
    await this.#file.datasync();
  }
}

/**
 * Rings once when something is written, made or moved in a folder: who waits for that need not look. A program that writes all the time
 * rings no more than one that writes a line, because who was rung for looks by himself from then on.
 */
import { watch, type FSWatcher } from 'node:fs';

export class FolderAlarm {
  #watcher: FSWatcher | undefined;

  /** undefined: it is not there, or the system watches for nobody any more. */
  static set(folder: string, ring: () => void): FolderAlarm | undefined {
    try {
      return new FolderAlarm(folder, ring);
    } catch {
      return undefined; // ENOENT, ENOSPC, EMFILE: whoever asked looks by himself
    }
  }

  private constructor(folder: string, ring: () => void) {
    const once = (): void => {
      if (this.#watcher === undefined) return;
      this.end();
      ring();
    };
    this.#watcher = watch(folder, { persistent: false }, once);
    this.#watcher.on('error', once);
  }

  end(): void {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher?.close();
  }
}

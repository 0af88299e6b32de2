/** Says when the disk of the home is about to be full, and when it is not any more. */
import { isShort } from '../core/index.js';
import type { NewEvent } from '../protocol/index.js';
import { readDisk } from '../system/index.js';

const LOOK_MS = 30_000;

export class DiskWatch {
  readonly #path: string;
  readonly #emit: (event: NewEvent) => void;
  readonly #timer: NodeJS.Timeout;
  #isShort: boolean;

  /** `wasShort`: a former daemon has said so. */
  constructor(path: string, wasShort: boolean, emit: (event: NewEvent) => void) {
    this.#path = path;
    this.#isShort = wasShort;
    this.#emit = emit;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#look();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const space = readDisk(this.#path);
    const now = isShort(space);
    if (now === this.#isShort) return;
    this.#isShort = now;
    this.#emit({ type: 'disk', path: this.#path, isShort: now, ...space });
  }
}

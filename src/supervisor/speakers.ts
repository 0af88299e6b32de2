/**
 * Which processes of an attempt can be asked, and where they listen. An application may start processes and open ports
 * without an end as long as it lives; what is gone is forgotten.
 */
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { readProcess } from '../system/index.js';
import type { Listening } from './channel.js';

/** Beyond this it is looked at who is still there. */
const MANY = 256;
/** Of ports that are nobody's in particular: the latest. */
const KEPT_FREE = 64;

export class Speakers {
  readonly #folder: string;
  readonly #isGone: (pid: number) => boolean;
  readonly #controls = new Set<number>();
  #listening: Listening[] = [];
  #most = MANY;

  /** `folder`: of their sockets. */
  constructor(folder: string, isGone: (pid: number) => boolean = (pid) => readProcess(pid) === undefined) {
    this.#folder = folder;
    this.#isGone = isGone;
  }

  /** Those that can be asked. */
  get controls(): readonly number[] {
    return [...this.#controls];
  }

  /** None can be asked. */
  get isEmpty(): boolean {
    return this.#controls.size === 0;
  }

  get listening(): readonly Listening[] {
    return this.#listening;
  }

  addControl(pid: number): void {
    this.#controls.add(pid);
    this.#forgetGone();
  }

  addListening(listening: Listening): void {
    const { pid, address, port } = listening;
    const isSame = (each: Listening): boolean =>
      each.pid === pid && each.port === port && each.address === address;
    const known = this.#listening.findIndex(isSame);
    if (known >= 0) this.#listening.splice(known, 1);
    this.#listening.push(listening);
    this.#forgetGone();
  }

  #forgetGone(): void {
    if (this.#controls.size + this.#listening.length <= this.#most) return;
    const pids = new Set([...this.#controls, ...this.#listening.map(({ pid }) => pid)]);
    const gone = new Set([...pids].filter(this.#isGone));
    for (const pid of gone) {
      if (this.#controls.delete(pid)) this.#remove(String(pid));
      this.#remove(`${pid}.attached`);
    }
    for (const { pid, port } of this.#listening) if (gone.has(pid)) this.#remove(`${pid}.${port}`);
    const free = this.#listening.filter(({ pid, how }) => how === 'free' && !gone.has(pid));
    const surplus = new Set(free.slice(0, -KEPT_FREE));
    this.#listening = this.#listening.filter((each) => !gone.has(each.pid) && !surplus.has(each));
    // Where all of them live, not to look each time.
    this.#most = Math.max(MANY, 2 * (this.#controls.size + this.#listening.length));
  }

  /** A process that was killed leaves it. */
  #remove(name: string): void {
    try {
      unlinkSync(join(this.#folder, name));
    } catch {
      // removed by the process itself
    }
  }
}

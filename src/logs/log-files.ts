/** Which files the log of a service consists of. The shims write and rotate them, see native/log.c. */
import { statSync, type Stats } from 'node:fs';
import { join } from 'node:path';

export type StreamName = 'out' | 'err';
export const STREAMS: readonly StreamName[] = ['out', 'err'];

export interface LogLimits {
  /** Of a file and its index together. @default 10 MiB */
  readonly maxBytes: number;
  /** Files beside the current one. @default 5 */
  readonly keep: number;
}

export const LOG_LIMITS: LogLimits = { maxBytes: 10 * 1024 * 1024, keep: 5 };

const ALL_NUMBERS = Array.from({ length: LOG_LIMITS.keep + 1 }, (_, number) => number);

/** The log of one stream: the current file is number 0, the oldest has the highest number. */
export class LogFiles {
  readonly stream: StreamName;
  readonly #folder: string;

  constructor(folder: string, stream: StreamName) {
    this.#folder = folder;
    this.stream = stream;
  }

  path(number = 0): string {
    return this.#named('log', number);
  }

  indexPath(number: number): string {
    return this.#named('idx', number);
  }

  /** Of those that exist, newest first. Their files may be moved on at any moment. */
  numbers(): number[] {
    return ALL_NUMBERS.filter((number) => this.#stats(number) !== undefined);
  }

  /** Where a file is by now. */
  numberOf(inode: number): number | undefined {
    return ALL_NUMBERS.find((number) => this.#stats(number)?.ino === inode);
  }

  /** Wall clock, milliseconds since the epoch. */
  writtenAt(number: number): number {
    return this.#stats(number)?.mtimeMs ?? 0;
  }

  #stats(number: number): Stats | undefined {
    return statSync(this.path(number), { throwIfNoEntry: false });
  }

  #named(kind: string, number: number): string {
    return join(this.#folder, `${this.stream}.${kind}${number === 0 ? '' : `.${number}`}`);
  }
}

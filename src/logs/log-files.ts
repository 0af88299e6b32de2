/** Which files the log of a service consists of. The shims write and rotate them, see native/log.c. */
import { statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../system/index.js';

export type StreamName = 'out' | 'err';
export const STREAMS: readonly StreamName[] = ['out', 'err'];

const ANY_NUMBER = /^(out|err)(?:-(\d+))?\.log(?:\.\d+(?:\.gz)?)?$/;

/**
 * The log of one stream, of all instances together or of one: the current file is number 0, the oldest has the highest
 * number. A file is plain (`out.log.3`) or compressed (`out.log.3.gz`), and for a moment both with the same content.
 */
export class LogFiles {
  readonly stream: StreamName;
  /** Whose alone it is; null: of all that share it. */
  readonly instance: number | null;
  readonly #folder: string;
  readonly #pattern: RegExp;

  constructor(folder: string, stream: StreamName, instance: number | null = null) {
    this.#folder = folder;
    this.stream = stream;
    this.instance = instance;
    this.#pattern = new RegExp(`^${this.name}\\.log(?:\\.(\\d+)(?:\\.gz)?)?$`);
  }

  /** All logs in the folder of a service: those that are shared first, then by instance. */
  static in(folder: string): LogFiles[] {
    const found = new Map<string, LogFiles>();
    for (const name of namesIn(folder)) {
      const [, stream, instance] = ANY_NUMBER.exec(name) ?? [];
      if (stream === undefined) continue;
      const files = new LogFiles(
        folder,
        stream as StreamName,
        instance === undefined ? null : Number(instance),
      );
      found.set(files.name, files);
    }
    const place = ({ instance, stream }: LogFiles): number => 2 * (instance ?? -1) + STREAMS.indexOf(stream);
    return [...found.values()].sort((one, other) => place(one) - place(other));
  }

  /** `out`, or `out-3`: what the names of its files begin with. */
  get name(): string {
    return this.instance === null ? this.stream : `${this.stream}-${this.instance}`;
  }

  path(number = 0): string {
    return this.#named('log', number);
  }

  archivePath(number: number): string {
    return `${this.#named('log', number)}.gz`;
  }

  indexPath(number: number): string {
    return this.#named('idx', number);
  }

  /** Of those that exist, newest first. Their files may be moved on at any moment. */
  numbers(): number[] {
    const numbers = namesIn(this.#folder).flatMap((name) => {
      const [isOne, number = 0] = this.#pattern.exec(name) ?? [];
      return isOne === undefined ? [] : [Number(number)];
    });
    return [...new Set(numbers)].sort((one, other) => one - other);
  }

  /** Of the plain file. */
  inode(number: number): number | undefined {
    return statOf(this.path(number))?.ino;
  }

  /** Wall clock, milliseconds since the epoch. */
  writtenAt(number: number): number {
    return (statOf(this.path(number)) ?? statOf(this.archivePath(number)))?.mtimeMs ?? 0;
  }

  #named(kind: string, number: number): string {
    return join(this.#folder, `${this.name}.${kind}${number === 0 ? '' : `.${number}`}`);
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

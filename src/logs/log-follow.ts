/** Tells what comes into the log of a service, until it is ended. Nobody pays for it before and afterwards. */
import { mkdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { LogReader } from './log-reader.js';
import type { LogFiles, StreamName } from './log-files.js';
import type { LogRun } from './log-index.js';
import type { LogPiece } from './log-segment.js';

/** How long lines are collected after the first one. */
const COLLECT_MS = 20;
/** A folder that was deleted and made again is a new one to the kernel; some file systems tell nothing at all. */
const LOOK_ANYWAY_MS = 1000;

export type PieceListener = (stream: StreamName, piece: LogPiece) => void;

export interface FollowOptions {
  /** The beginning of this attempt. @default what comes from now on */
  readonly from?: LogRun;
  /** Whether the listener can take more; what it cannot take waits in the files. @default always */
  readonly canTake?: () => boolean;
}

export class LogFollow {
  readonly #folder: string;
  readonly #readers: ReadonlyMap<StreamName, LogReader>;
  readonly #onPiece: PieceListener;
  readonly #canTake: () => boolean;
  readonly #interval: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #watched: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    folder: string,
    files: readonly LogFiles[],
    onPiece: PieceListener,
    { from, canTake = () => true }: FollowOptions = {},
  ) {
    this.#folder = folder;
    this.#onPiece = onPiece;
    this.#canTake = canTake;
    const begin = (each: LogFiles): LogReader =>
      from ? LogReader.atBegin(each, from) : LogReader.atEnd(each);
    this.#readers = new Map(files.map((each) => [each.stream, begin(each)]));
    this.#interval = setInterval(() => this.look(), LOOK_ANYWAY_MS).unref();
    this.#watch();
    if (from) this.#lookSoon();
  }

  /** How far it is in the current file of a stream. */
  offset(stream: StreamName): number {
    return this.#readers.get(stream)!.offset;
  }

  /** Tells what is there. */
  look(): void {
    this.#watch();
    for (const [stream, reader] of this.#readers) {
      if (!this.#isOver && !this.#canTake()) return this.#lookSoon();
      const pieces = this.#isOver ? [] : reader.read();
      for (const piece of pieces) if (!this.#isOver) this.#onPiece(stream, piece);
      if (pieces.length > 0) this.#lookSoon(); // there may be more than is read at a time
    }
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#interval);
    this.#watcher?.close();
    for (const reader of this.#readers.values()) reader.close();
  }

  #lookSoon(): void {
    if (this.#isOver) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, COLLECT_MS);
  }

  #watch(): void {
    if (this.#isOver || (this.#watched !== undefined && this.#watched === inodeOf(this.#folder))) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#watched = inodeOf(this.#folder);
      this.#watcher = watch(this.#folder, () => this.#lookSoon());
      this.#watcher.on('error', () => (this.#watched = undefined));
    } catch {
      // no folder, or no watches left: it is looked at every second
    }
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

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
  readonly #find: () => readonly LogFiles[];
  /** By the names of their files: instances may come that have files of their own. */
  readonly #readers = new Map<string, { stream: StreamName; reader: LogReader }>();
  readonly #onPiece: PieceListener;
  readonly #canTake: () => boolean;
  readonly #interval: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #watched: number | undefined;
  /** There may be a log that nobody reads yet. */
  #isNewOne = false;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(
    folder: string,
    find: () => readonly LogFiles[],
    onPiece: PieceListener,
    { from, canTake = () => true }: FollowOptions = {},
  ) {
    this.#folder = folder;
    this.#onPiece = onPiece;
    this.#canTake = canTake;
    this.#find = find;
    this.#open((files) => (from ? LogReader.atBegin(files, from) : LogReader.atEnd(files)));
    this.#interval = setInterval(() => this.#lookAnyway(), LOOK_ANYWAY_MS).unref();
    this.#watch();
    if (from) this.#lookSoon();
  }

  /** How far it is in the current file of a stream. */
  offset(stream: StreamName): number {
    return this.#readers.get(stream)?.reader.offset ?? 0;
  }

  /** Tells what is there. */
  look(): void {
    this.#watch();
    if (this.#isNewOne && !this.#isOver) this.#open((files) => LogReader.atOldest(files));
    for (const { stream, reader } of this.#readers.values()) {
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
    for (const { reader } of this.#readers.values()) reader.close();
  }

  #lookAnyway(): void {
    this.#isNewOne = true;
    this.look();
  }

  #open(begin: (files: LogFiles) => LogReader): void {
    this.#isNewOne = false;
    for (const files of this.#find())
      if (!this.#readers.has(files.name))
        this.#readers.set(files.name, { stream: files.stream, reader: begin(files) });
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
      this.#watcher = watch(this.#folder, (change) => {
        if (change === 'rename') this.#isNewOne = true; // also where a file was made
        this.#lookSoon();
      });
      this.#watcher.on('error', () => (this.#watched = undefined));
    } catch {
      // no folder, or no watches left: it is looked at every second
    }
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/** What the instances of one service write, which their shims put into files: what was, and what comes. */
import { join } from 'node:path';
import type { LogEntry, ServiceDetail } from '../protocol/index.js';
import { lastLines } from './last-lines.js';
import type { ErrorReport } from './fingerprint/index.js';
import { lastError } from './last-error.js';
import { lastWords, readTail } from './last-words.js';
import { LogFiles, STREAMS, type StreamName } from './log-files.js';
import { LogFollow, type FollowOptions, type PieceListener } from './log-follow.js';
import type { LogRun } from './log-index.js';
import { isOf } from './log-segment.js';
import { splitLines } from './split-lines.js';

/** A stack with all of its causes is shorter. */
const ERROR_BYTES = 128 * 1024;

export class ServiceLog {
  readonly service: string;
  readonly folder: string;
  #lostBytes = 0;
  #lostLines = 0;
  readonly #files: Readonly<Record<StreamName, LogFiles>>;

  constructor(folder: string, service: string) {
    this.service = service;
    this.folder = join(folder, service);
    this.#files = { out: new LogFiles(this.folder, 'out'), err: new LogFiles(this.folder, 'err') };
  }

  path(stream: StreamName): string {
    return this.#files[stream].path();
  }

  get view(): ServiceDetail['logs'] {
    const [lostBytes, lostLines] = [this.#lostBytes, this.#lostLines];
    return { out: this.path('out'), err: this.path('err'), lostBytes, lostLines };
  }

  /** So much more could not be written. */
  noteLoss(bytes: number, lines: number): void {
    this.#lostBytes += bytes;
    this.#lostLines += lines;
  }

  /** Of the current file, up to what a follower is told. */
  lastLines(stream: StreamName, count: number, before?: LogFollow): LogEntry[] {
    const lines = lastLines(this.path(stream), count, before?.offset(stream));
    return lines.map((line) => this.#entry(stream, null, line));
  }

  /** What an attempt wrote last, to stdout and to stderr. */
  lastWords(run: LogRun): string[] {
    return STREAMS.flatMap((stream) => lastWords(this.#files[stream], run));
  }

  /** The error that an attempt ended with, as far as its output tells. */
  lastError(run: LogRun, endedAt: number): ErrorReport | null {
    const err = readTail(this.#files.err, run, ERROR_BYTES);
    const { at: outAt } = readTail(this.#files.out, run, 1);
    return lastError({ lines: splitLines(err.text), errAt: err.at, outAt, endedAt });
  }

  follow(
    streams: readonly StreamName[],
    listener: (entry: LogEntry) => void,
    canTake?: () => boolean,
  ): LogFollow {
    const onPiece: PieceListener = (stream, { run, lines }) => {
      for (const line of splitLines(lines)) listener(this.#entry(stream, run, line));
    };
    return this.#follow(streams, onPiece, canTake ? { canTake } : {});
  }

  /** What an attempt writes, from its beginning. */
  followRun(run: LogRun, listener: (line: string) => void): LogFollow {
    const onPiece: PieceListener = (_stream, piece) => {
      if (piece.run && isOf(piece.run, run)) splitLines(piece.lines).forEach(listener);
    };
    return this.#follow(STREAMS, onPiece, { from: run });
  }

  #entry(stream: StreamName, run: LogRun | null, line: string): LogEntry {
    const [instance, attempt] = [run?.instance ?? null, run?.attempt ?? null];
    const unread = { at: null, level: null, message: null, fields: null };
    return { service: this.service, instance, attempt, stream, lines: [line], ...unread };
  }

  #follow(streams: readonly StreamName[], onPiece: PieceListener, options: FollowOptions): LogFollow {
    const files = streams.map((stream) => this.#files[stream]);
    return new LogFollow(this.folder, files, onPiece, options);
  }
}

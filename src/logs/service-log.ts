/** What the instances of one service write, which their shims put into files: what was, and what comes. */
import { join } from 'node:path';
import type { LogEntry, LogSpec, ServiceDetail } from '../protocol/index.js';
import { SecretValues } from '../util/index.js';
import { lastLines } from './last-lines.js';
import type { ErrorReport } from './fingerprint/index.js';
import { lastError } from './last-error.js';
import { lastWords, readTail, type Tail } from './last-words.js';
import { LogFiles, STREAMS, type StreamName } from './log-files.js';
import { LogFollow, type PieceListener } from './log-follow.js';
import type { LogRun } from './log-index.js';
import { isOf } from './log-segment.js';
import { splitLines } from './split-lines.js';

/** A stack with all of its causes is shorter. */
const ERROR_BYTES = 128 * 1024;

export class ServiceLog {
  readonly service: string;
  readonly folder: string;
  /** What its attempts were told in confidence: not in what is quoted of them, wherever that goes. */
  readonly secrets = new SecretValues();
  #lostBytes = 0;
  #lostLines = 0;

  constructor(folder: string, service: string) {
    this.service = service;
    this.folder = join(folder, service);
  }

  /** `instance`: whose alone it is. */
  path(stream: StreamName, instance: number | null = null): string {
    return new LogFiles(this.folder, stream, instance).path();
  }

  /** `out-*.log` where instances have files of their own. */
  view({ perInstance }: LogSpec): ServiceDetail['logs'] {
    const path = (stream: StreamName): string =>
      perInstance ? join(this.folder, `${stream}-*.log`) : this.path(stream);
    return { out: path('out'), err: path('err'), lostBytes: this.#lostBytes, lostLines: this.#lostLines };
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
    const lines = filesOf(this.folder, run).flatMap((files) => lastWords(files, run));
    return lines.map((line) => this.secrets.hide(line));
  }

  /** What an attempt wrote last to one of the two, at most so many bytes. */
  tailOf(run: LogRun, stream: StreamName, bytes: number): string[] {
    return splitLines(this.#tail(stream, run, bytes).text).map((line) => this.secrets.hide(line));
  }

  /** The error that an attempt ended with, as far as its output tells. */
  lastError(run: LogRun, endedAt: number): ErrorReport | null {
    const err = this.#tail('err', run, ERROR_BYTES);
    const { at: outAt } = this.#tail('out', run, 1);
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
    const find = (): LogFiles[] => LogFiles.in(this.folder).filter((files) => streams.includes(files.stream));
    return new LogFollow(this.folder, find, onPiece, canTake ? { canTake } : {});
  }

  /** What an attempt writes, from its beginning. */
  followRun(run: LogRun, listener: (line: string) => void): LogFollow {
    const onPiece: PieceListener = (_stream, piece) => {
      if (piece.run && isOf(piece.run, run)) splitLines(piece.lines).forEach(listener);
    };
    return new LogFollow(this.folder, () => filesOf(this.folder, run), onPiece, { from: run });
  }

  #tail(stream: StreamName, run: LogRun, bytes: number): Tail {
    const tails = filesOf(this.folder, run)
      .filter((files) => files.stream === stream)
      .map((files) => readTail(files, run, bytes));
    return tails.find(({ at }) => at !== undefined) ?? tails[0]!;
  }

  #entry(stream: StreamName, run: LogRun | null, line: string): LogEntry {
    const [instance, attempt] = [run?.instance ?? null, run?.attempt || null]; // 0: upkeep itself
    const unread = { at: null, level: null, message: null, fields: null };
    return { service: this.service, instance, attempt, stream, lines: [line], ...unread };
  }
}

/** Where an attempt may have written: which of the two it does was said when it began. */
function filesOf(folder: string, { instance }: LogRun): LogFiles[] {
  return STREAMS.flatMap((stream) => [new LogFiles(folder, stream), new LogFiles(folder, stream, instance)]);
}
